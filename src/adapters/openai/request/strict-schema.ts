import { isObject } from "../untrusted.ts";

/** Keywords that OpenAI's strict mode takes everywhere; Azure and others take no more than these. */
const KEYWORDS: ReadonlySet<string> = new Set([
  "$schema",
  "$defs",
  "$ref",
  "title",
  "description",
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "enum",
  "const",
  "anyOf",
]);

const MAX_DEPTH = 10;
const MAX_PROPERTIES = 5_000;

/**
 * Whether a schema fits the subset that OpenAI's `strict: true` takes (Structured Outputs guide, "Supported schemas"):
 * an object at the root, every object closed and all its properties required, known keywords only, at most 10 levels
 * and 5,000 properties. Others are sent with `strict: false`: they guide the model, and our own validation decides.
 */
export function fitsStrictSubset(schema: unknown): boolean {
  if (!isObject(schema) || schema.type !== "object" || schema.anyOf !== undefined) return false;
  return fits(schema, 0, { properties: 0 });
}

function fits(schema: unknown, depth: number, seen: { properties: number }): boolean {
  if (!isObject(schema) || depth > MAX_DEPTH) return false;
  if (!Object.keys(schema).every((keyword) => KEYWORDS.has(keyword))) return false;
  if ((schema.type === "object" || schema.properties !== undefined) && !isClosedObject(schema, seen)) return false;
  const nested = [...valuesOf(schema.properties), ...(Array.isArray(schema.anyOf) ? schema.anyOf : [])];
  if (schema.items !== undefined) nested.push(schema.items);
  return [...nested, ...valuesOf(schema.$defs)].every((part) => fits(part, depth + 1, seen));
}

function isClosedObject(schema: Readonly<Record<string, unknown>>, seen: { properties: number }): boolean {
  const names = isObject(schema.properties) ? Object.keys(schema.properties) : [];
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  seen.properties += names.length;
  return (
    schema.additionalProperties === false &&
    seen.properties <= MAX_PROPERTIES &&
    names.every((name) => required.has(name))
  );
}

function valuesOf(value: unknown): unknown[] {
  return isObject(value) ? Object.values(value) : [];
}
