import { branchesOf, listOf, numberOf, propertiesOf, resolveSchema, type Schema, textOf, typesOf } from "./schema.ts";

/** A value of each format that is valid and plainly not real. */
const BY_FORMAT: Readonly<Record<string, string>> = {
  date: "1970-01-01",
  "date-time": "1970-01-01T00:00:00Z",
  time: "00:00:00Z",
  duration: "PT0S",
  email: "nobody@example.com",
  hostname: "example.com",
  ipv4: "0.0.0.0",
  ipv6: "::",
  uri: "https://example.com/",
  uuid: "00000000-0000-0000-0000-000000000000",
};

/** A schema that refers to itself has no smallest value; what is below so many values is left empty. */
const MAX_VALUES = 512;
const MAX_ITEMS = 64;
const MAX_CHARACTERS = 4_096;

interface Budget {
  left: number;
}

/**
 * The smallest value that a schema accepts, for what must be there and was not found: null where it may be, else the
 * constant, the first choice, zero, empty, false. Patterns are not solved.
 */
export function minimalValue(given: unknown, root: unknown, budget: Budget = { left: MAX_VALUES }): unknown {
  if (budget.left-- <= 0) return null;
  const schema = resolveSchema(given, root);
  if ("const" in schema) return schema.const;
  const choices = listOf(schema.enum);
  if (choices.length > 0) return choices.includes(null) ? null : choices[0];
  const branches = branchesOf(schema);
  if (branches.length > 0) {
    const nullable = branches.find((branch) => typesOf(resolveSchema(branch, root)).includes("null"));
    return minimalValue(nullable ?? branches[0], root, budget);
  }
  const types = typesOf(schema);
  return types.includes("null") ? null : minimalOfType(types[0] ?? "string", schema, root, budget);
}

function minimalOfType(type: string, schema: Schema, root: unknown, budget: Budget): unknown {
  switch (type) {
    case "object":
      return minimalObject(schema, root, budget);
    case "array":
      return minimalArray(schema, root, budget);
    case "integer":
    case "number":
      return minimalNumber(schema, type === "integer");
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return minimalText(schema);
  }
}

function minimalText(schema: Schema): string {
  const formatted = BY_FORMAT[textOf(schema.format)];
  if (formatted !== undefined) return formatted;
  return "-".repeat(Math.min(numberOf(schema.minLength) ?? 0, MAX_CHARACTERS));
}

function minimalNumber(schema: Schema, integer: boolean): number {
  const step = numberOf(schema.multipleOf) ?? (integer ? 1 : 0);
  const edges = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"].flatMap(
    (keyword) => numberOf(schema[keyword]) ?? [],
  );
  const onGrid =
    step > 0 ? edges.flatMap((edge) => gridAround(edge, step)) : edges.flatMap((edge) => [edge, edge - 1, edge + 1]);
  const middle = edges.length > 1 ? [edges.reduce((sum, edge) => sum + edge, 0) / edges.length] : [];
  return [0, ...onGrid, ...middle].find((value) => numberFits(value, schema, integer)) ?? 0;
}

function gridAround(edge: number, step: number): number[] {
  const below = Math.floor(edge / step);
  return [below * step, (below + 1) * step, (below - 1) * step];
}

/** Whether a number keeps the limits of a schema. */
export function numberFits(value: number, schema: Schema, integer: boolean): boolean {
  const step = numberOf(schema.multipleOf);
  return (
    (!integer || Number.isInteger(value)) &&
    value >= (numberOf(schema.minimum) ?? Number.NEGATIVE_INFINITY) &&
    value <= (numberOf(schema.maximum) ?? Number.POSITIVE_INFINITY) &&
    value > (numberOf(schema.exclusiveMinimum) ?? Number.NEGATIVE_INFINITY) &&
    value < (numberOf(schema.exclusiveMaximum) ?? Number.POSITIVE_INFINITY) &&
    (step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9)
  );
}

function minimalArray(schema: Schema, root: unknown, budget: Budget): unknown[] {
  const length = Math.min(numberOf(schema.minItems) ?? 0, MAX_ITEMS);
  const prefix = listOf(schema.prefixItems);
  return Array.from({ length }, (_, i) => minimalValue(prefix[i] ?? schema.items ?? {}, root, budget));
}

function minimalObject(schema: Schema, root: unknown, budget: Budget): Record<string, unknown> {
  const out: Record<string, unknown> = Object.create(null);
  const properties = propertiesOf(schema);
  for (const key of listOf(schema.required)) {
    if (typeof key === "string") out[key] = minimalValue(properties[key] ?? {}, root, budget);
  }
  return out;
}
