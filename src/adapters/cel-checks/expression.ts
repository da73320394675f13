import type { Expr } from "./parse-rule.ts";

/** The expression with each direct part replaced by what `change` makes of it. The given one stays as it is. */
export function withParts(expr: Expr, change: (part: Expr) => Expr): Expr {
  const kind = expr.exprKind;
  const maybe = (part: Expr | undefined) => part && change(part);
  switch (kind.case) {
    case "selectExpr":
      return { ...expr, exprKind: { ...kind, value: { ...kind.value, operand: maybe(kind.value.operand) } } };
    case "callExpr": {
      const { target, args } = kind.value;
      return {
        ...expr,
        exprKind: { ...kind, value: { ...kind.value, target: maybe(target), args: args.map(change) } },
      };
    }
    case "listExpr":
      return { ...expr, exprKind: { ...kind, value: { ...kind.value, elements: kind.value.elements.map(change) } } };
    case "structExpr": {
      const entries = kind.value.entries.map((entry) => {
        const key = entry.keyKind;
        const keyKind = key.case === "mapKey" ? { case: key.case, value: change(key.value) } : key;
        return { ...entry, keyKind, value: maybe(entry.value) };
      });
      return { ...expr, exprKind: { ...kind, value: { ...kind.value, entries } } };
    }
    case "comprehensionExpr": {
      const value = {
        ...kind.value,
        iterRange: maybe(kind.value.iterRange),
        accuInit: maybe(kind.value.accuInit),
        loopCondition: maybe(kind.value.loopCondition),
        loopStep: maybe(kind.value.loopStep),
        result: maybe(kind.value.result),
      };
      return { ...expr, exprKind: { ...kind, value } };
    }
    default:
      return expr;
  }
}

/** The direct parts, in the order of `withParts`. */
export function partsOf(expr: Expr): readonly Expr[] {
  const parts: Expr[] = [];
  withParts(expr, (part) => {
    parts.push(part);
    return part;
  });
  return parts;
}

/** A call of a function, at the place of `like`. */
export function callAt(like: Expr, name: string, args: Expr[]): Expr {
  return {
    $typeName: "cel.expr.Expr",
    id: like.id,
    exprKind: { case: "callExpr", value: { $typeName: "cel.expr.Expr.Call", function: name, args } },
  };
}

/** A whole number, at the place of `like`. */
export function numberAt(like: Expr, value: number): Expr {
  const constantKind = { case: "int64Value", value: BigInt(value) } as const;
  return {
    $typeName: "cel.expr.Expr",
    id: like.id,
    exprKind: { case: "constExpr", value: { $typeName: "cel.expr.Constant", constantKind } },
  };
}

/** The names of all functions that are called. */
export function callsIn(expr: Expr): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (part: Expr): void => {
    if (part.exprKind.case === "callExpr") names.add(part.exprKind.value.function);
    for (const inner of partsOf(part)) visit(inner);
  };
  visit(expr);
  return names;
}

/** All names that stand for values, those of loops included. */
export function namesIn(expr: Expr): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (part: Expr): void => {
    if (part.exprKind.case === "identExpr") names.add(part.exprKind.value.name);
    for (const inner of partsOf(part)) visit(inner);
  };
  visit(expr);
  return names;
}
