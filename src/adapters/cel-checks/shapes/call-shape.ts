import type { CelFunc, CelType } from "@bufbuild/cel";
import { whyNeverEqual } from "./never-equal.ts";
import { ANYTHING, type Kind, listOf, mayBe, NOTHING, oneOf, type Shape, shapeText, union } from "./shape.ts";

/** What a call comes to, or why it cannot come to anything, whatever the values are. */
export type CallShape = { readonly ok: true; readonly shape: Shape } | { readonly ok: false; readonly message: string };

/** What our own functions want in their lists. */
const ITEMS: Readonly<Record<string, readonly Kind[]>> = {
  sum: ["int", "uint", "double"],
  cited: ["string"],
  known_citations: ["string"],
  quoted: ["string"],
};
const EQUALITIES = ["_==_", "_!=_"];

/**
 * Finds the overloads that may apply. `given` begins with the target, where the call has one.
 * @param overloads of the function's name; not empty.
 */
export function callShape(overloads: readonly CelFunc[], hasTarget: boolean, given: readonly Shape[]): CallShape {
  const [name = ""] = overloads.map((overload) => overload.name);
  const fitting = overloads.filter((overload) => fits(overload, hasTarget, given));
  if (fitting.length === 0) return { ok: false, message: noOverload(name, given) };
  const [first = ANYTHING, second = ANYTHING] = given;
  const other = name === "@in" && second.kinds && !mayBe(second, "map") ? second.item() : second;
  const isComparison = EQUALITIES.includes(name) || other !== second;
  const never = isComparison ? whyNeverEqual(first, other, other === second ? "equals" : "is in a list of") : undefined;
  if (never !== undefined) return { ok: false, message: never };
  const items = ITEMS[name];
  if (items && first.kinds && !mayBe(first, "string") && neverOf(first.item(), items)) {
    return { ok: false, message: `${name} does not take a list of ${shapeText(first.item())}` };
  }
  // The way to say that one knows better.
  if (name === "dyn") return { ok: true, shape: ANYTHING };
  return { ok: true, shape: union(fitting.map(({ result }) => resultShape(result, given))) };
}

function fits(overload: CelFunc, hasTarget: boolean, given: readonly Shape[]): boolean {
  if (hasTarget !== (overload.target !== undefined)) return false;
  const wanted = overload.target ? [overload.target, ...overload.arguments] : overload.arguments;
  return (
    wanted.length === given.length &&
    wanted.every((type, at) => type.name === "dyn" || mayBe(given[at] ?? NOTHING, type.name))
  );
}

function resultShape(result: CelType, given: readonly Shape[]): Shape {
  if (result.name === "dyn") return ANYTHING;
  // The only function that makes lists joins them.
  return result.kind === "list" ? listOf(union(given.map((shape) => shape.item()))) : oneOf(result.name);
}

/** Whether it is some value, and never of these types. */
function neverOf({ kinds }: Shape, wanted: readonly Kind[]): boolean {
  return kinds !== undefined && kinds.size > 0 && !wanted.some((kind) => kinds.has(kind));
}

function noOverload(name: string, given: readonly Shape[]): string {
  return `${spokenName(name)} does not take ${given.map(shapeText).join(" and ") || "nothing"}`;
}

/** "+" for "_+_", as the rule has it. */
export function spokenName(name: string): string {
  return name.replace(/[@_]/g, "") || name;
}
