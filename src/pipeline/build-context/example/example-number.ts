import { numberOf, type SchemaNode } from "./schema-node.ts";

/** How many steps of `multipleOf` are tried, so that one of them may also be whole. */
const MAX_STEPS = 32;

/**
 * A number within the limits of a schema; 1 where it may be. Undefined where none was found.
 * @param ordinal numbers with different ones differ, for lists without duplicates.
 */
export function exampleNumber(schema: SchemaNode, isInteger: boolean, ordinal: number): number | undefined {
  const step = numberOf(schema.multipleOf) ?? (isInteger ? 1 : undefined);
  const edges = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"].flatMap(
    (keyword) => numberOf(schema[keyword]) ?? [],
  );
  const candidates = step === undefined ? near(edges) : [1, 0, ...edges].flatMap((start) => multiplesFrom(start, step));
  const fitting = candidates.filter((value) => fits(value, schema, isInteger));
  return [...new Set(fitting)][ordinal];
}

function near(edges: readonly number[]): number[] {
  const middle = edges.length > 1 ? edges.reduce((sum, edge) => sum + edge, 0) / edges.length : 0;
  const starts = [1, ...edges, middle];
  return [...starts, ...starts.flatMap((start) => Array.from({ length: MAX_STEPS }, (_, i) => start + i + 1))].concat(
    edges.flatMap((edge) => Array.from({ length: MAX_STEPS }, (_, i) => edge - i - 1)),
  );
}

function multiplesFrom(start: number, step: number): number[] {
  const first = Math.ceil(start / step);
  const counts = Array.from({ length: MAX_STEPS }, (_, i) => first + i);
  // Fifteen digits are what a decimal keeps as a double: 3 × 0.1 is to be written 0.3.
  return [...counts, first - 1].map((count) => Number((count * step).toPrecision(15)));
}

function fits(value: number, schema: SchemaNode, isInteger: boolean): boolean {
  return (
    (!isInteger || Number.isInteger(value)) &&
    value >= (numberOf(schema.minimum) ?? Number.NEGATIVE_INFINITY) &&
    value <= (numberOf(schema.maximum) ?? Number.POSITIVE_INFINITY) &&
    value > (numberOf(schema.exclusiveMinimum) ?? Number.NEGATIVE_INFINITY) &&
    value < (numberOf(schema.exclusiveMaximum) ?? Number.POSITIVE_INFINITY)
  );
}
