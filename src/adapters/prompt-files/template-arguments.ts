import { isOnly, type Reference } from "./template-scope.ts";

/** Checks what a helper is given. The answer is a message, or nothing where all is well. */
export function checkArguments(
  helper: string,
  values: readonly (Reference | "literal")[],
  hash: hbs.AST.Hash | undefined,
): string | undefined {
  if (hash?.pairs.length) return `${helper} takes no name=value arguments`;
  const [first, second] = values;
  if (helper === "json") {
    return values.length === 1 && first !== "literal" ? undefined : "json takes exactly one variable";
  }
  if (helper === "join") {
    if (values.length !== 2 || second !== "literal" || first === undefined || first === "literal") {
      return 'join takes a list and the text between its items, such as {{join tags ", "}}';
    }
    const isTextList = isOnly(first, ["array"]) && isScalar({ ...first, shape: first.shape.items });
    return isTextList ? undefined : `join takes a list of texts or numbers, and ${first.label} is something else`;
  }
  if (values.length !== 2) return "eq takes exactly two values";
  const unfit = values.find((value) => value !== "literal" && !isScalar(value));
  return unfit === undefined || unfit === "literal"
    ? undefined
    : `eq compares texts, numbers and booleans; ${unfit.label} may be something else`;
}

function isScalar(value: Reference): boolean {
  return isOnly(value, ["boolean", "number", "string"]);
}
