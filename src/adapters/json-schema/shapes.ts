import { InvalidSchemaError } from "../../core/json-schema.ts";
import { PatternError } from "./ecma-pattern.ts";
import { formats } from "./formats.ts";
import { type KeywordShape, typeNames } from "./keywords.ts";
import { compilePattern } from "./patterns.ts";
import { pointerTo } from "./pointer.ts";

/** A schema that is not just `true` or `false`. */
export type SchemaObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const wanted: Readonly<Partial<Record<KeywordShape, string>>> = {
  schema: "a schema (an object, true or false)",
  schema_list: "a list of at least one schema",
  schema_map: "an object whose values are schemas",
  pattern_map: "an object of patterns and schemas",
  string: "a string",
  boolean: "true or false",
  number: "a number",
  positive_number: "a number above 0",
  natural: "a whole number from 0 on",
  value_list: "a list",
  string_list: "a list of different strings",
  string_list_map: "an object of lists of different strings",
  pattern: "a regular expression",
  reference: "a string that begins with #",
  anchor: "a name such as tree_node",
};

/** @throws InvalidSchemaError where the value of a keyword (not the schemas below it) is not what the keyword takes. */
export function checkShape(keyword: string, shape: KeywordShape, value: unknown, pointer: string): void {
  const problem = shapeProblem(keyword, shape, value);
  if (problem) throw new InvalidSchemaError(pointer, keyword, `${keyword} ${problem}`);
  if (shape === "pattern_map") {
    for (const pattern of Object.keys(isObject(value) ? value : {})) checkPattern(pattern, pointerTo(pointer, pattern));
  }
  if (shape === "pattern") checkPattern(String(value), pointer);
}

function shapeProblem(keyword: string, shape: KeywordShape, value: unknown): string | undefined {
  if (shape === "type") return typeProblem(value);
  if (shape === "format") return formatProblem(value);
  if (keyword === "items" && Array.isArray(value)) return "must be one schema; for a list by position use prefixItems";
  return fits(shape, value) ? undefined : `must be ${wanted[shape]}`;
}

function fits(shape: KeywordShape, value: unknown): boolean {
  switch (shape) {
    case "schema":
      return isObject(value) || typeof value === "boolean";
    case "schema_list":
      return Array.isArray(value) && value.length > 0;
    case "schema_map":
    case "pattern_map":
      return isObject(value);
    case "string":
    case "pattern":
    case "reference":
      return typeof value === "string";
    case "anchor":
      return typeof value === "string" && /^[A-Za-z_][-A-Za-z0-9._]*$/.test(value);
    case "boolean":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    case "positive_number":
      return typeof value === "number" && value > 0;
    case "natural":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    case "value_list":
      return Array.isArray(value);
    case "string_list":
      return isStringList(value);
    case "string_list_map":
      return isObject(value) && Object.values(value).every(isStringList);
    default:
      return true;
  }
}

function isStringList(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((item) => typeof item === "string") && new Set(value).size === value.length
  );
}

function typeProblem(value: unknown): string | undefined {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  const known = names.every((name) => typeof name === "string" && typeNames.has(name));
  if (known && names.length > 0 && new Set(names).size === names.length) return undefined;
  return `must be one of ${[...typeNames].join(", ")}, or a list of different ones`;
}

function formatProblem(value: unknown): string | undefined {
  if (typeof value === "string" && Object.hasOwn(formats, value)) return undefined;
  return `must be one of ${Object.keys(formats).join(", ")}`;
}

function checkPattern(pattern: string, pointer: string): void {
  try {
    compilePattern(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new InvalidSchemaError(pointer, "pattern", `the pattern ${error.message}`);
  }
}
