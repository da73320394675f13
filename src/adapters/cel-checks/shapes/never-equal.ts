import { nearestNames } from "../../../core/nearest-names.ts";
import { type Kind, mayBe, NULL, type Scalar, type Shape, shapeText } from "./shape.ts";

const NUMBERS: readonly Kind[] = ["int", "uint", "double"];

/**
 * Why two values can never be equal, whatever they are; undefined where they may be. Types are compared, and numbers of
 * all types with each other; then the values, where all of them are known. A comparison with the word null asks whether
 * something is there.
 */
export function whyNeverEqual(a: Shape, b: Shape, how: "equals" | "is in a list of"): string | undefined {
  if (a === NULL || b === NULL || !a.kinds?.size || !b.kinds?.size) return undefined;
  const areNumbers = mayBe(a, ...NUMBERS) && mayBe(b, ...NUMBERS);
  if (!areNumbers && ![...a.kinds].some((kind) => b.kinds?.has(kind))) {
    return how === "equals"
      ? `${shapeText(a)} never equals ${shapeText(b)}`
      : `${shapeText(a)} is never in a list of ${shapeText(b)}`;
  }
  const { values } = b;
  // Two constants are nobody's typing error, and what they come to is looked at with the rule as a whole.
  if (a.isSpelled && b.isSpelled) return undefined;
  if (!a.values || !values || a.values.some((value) => values.includes(value))) return undefined;
  const [known, sought] = a.isSpelled ? [values, a.values] : [a.values, values];
  return `${spelled(sought)} is never ${spelled(known)}${nearest(sought, known)}`;
}

/** Up to three of them. */
function spelled(values: readonly Scalar[]): string {
  const shown = values.slice(0, 3).map((value) => JSON.stringify(value));
  return `${shown.join(" or ")}${values.length > shown.length ? ` or another of ${values.length}` : ""}`;
}

/** What was probably meant, where there is a choice. */
function nearest([sought = null]: readonly Scalar[], known: readonly Scalar[]): string {
  const texts = known.filter((value) => typeof value === "string");
  if (typeof sought !== "string" || texts.length < 2) return "";
  return `; the nearest is ${JSON.stringify(nearestNames(sought, texts, 1)[0])}`;
}
