import type { Expr } from "../parse-rule.ts";
import { ANYTHING, BOOL, constant, NULL, oneOf, type Shape, TEXT } from "./shape.ts";

export type Constant = Extract<Expr["exprKind"], { case: "constExpr" }>["value"];

/** The shape of a value that a rule spells. */
export function constantShape({ constantKind: { case: kind, value } }: Constant): Shape {
  switch (kind) {
    case "nullValue":
      return NULL;
    case "boolValue":
      return typeof value === "boolean" ? constant("bool", value) : BOOL;
    case "stringValue":
      return typeof value === "string" ? constant("string", value) : TEXT;
    case "int64Value":
      return constant("int", Number(value));
    case "uint64Value":
      return constant("uint", Number(value));
    case "doubleValue":
      return constant("double", Number(value));
    case "bytesValue":
      return oneOf("bytes");
    default:
      return ANYTHING;
  }
}

/** The text that an expression spells, where it is one. */
export function spelledText(expr: Expr | undefined): string | undefined {
  const constantKind = expr?.exprKind.case === "constExpr" ? expr.exprKind.value.constantKind : undefined;
  return constantKind?.case === "stringValue" ? constantKind.value : undefined;
}
