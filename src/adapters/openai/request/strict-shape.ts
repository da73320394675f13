import { isObject } from "../untrusted.ts";
import { annotations, keywordFates } from "./strict-keywords.ts";

type Schema = Readonly<Record<string, unknown>>;

/** A reference that the strict mode follows. */
const REFERENCE = /^#(?:\/(?:\$defs|definitions)\/[^/%~]+)?$/;

/** What may stand beside a union or a reference: what does not shape the value. */
const SHAPING: ReadonlySet<string> = new Set([
  "enum",
  "const",
  "required",
  "additionalProperties",
  "unevaluatedProperties",
  "properties",
  "items",
  "anyOf",
  "oneOf",
]);

/** The strict mode wants an object at the root, said there, and no choice between several. */
export function isStrictRoot(schema: unknown): boolean {
  if (!isObject(schema) || schema.type !== "object") return false;
  return schema.$ref === undefined && schema.anyOf === undefined && schema.oneOf === undefined;
}

/**
 * Whether the strict mode can say what one schema object says, apart from the limits that are told in words and the
 * schemas below it. Closing an object must forbid nothing that its author wanted: open objects without properties are
 * maps, and an optional property cannot be made required, for the model would have to invent it.
 */
export function fitsStrictShape(schema: Schema): boolean {
  if (!Object.keys(schema).every((keyword) => keywordFates.has(keyword))) return false;
  if (schema.$ref !== undefined) return isLoneReference(schema);
  if (schema.anyOf !== undefined || schema.oneOf !== undefined) return isLoneUnion(schema);
  const types = typesOf(schema);
  // A listed value of a type that the schema does not allow is dead in JSON Schema, and refused by the strict mode.
  if (!valuesOf(schema).every((value) => types.some((type) => isOfType(value, type)))) return false;
  if (types.length === 0 || (types.includes("array") && !isObject(schema.items))) return false;
  return types.includes("object") ? isClosable(schema) : schema.properties === undefined;
}

/** The types a schema allows: as it says, or those of its only values. Empty where neither says. */
export function typesOf(schema: Schema): readonly string[] {
  if (typeof schema.type === "string") return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.filter((name) => typeof name === "string");
  return [...new Set(valuesOf(schema).map(typeOfScalar))];
}

/** Beside these, and nothing that shapes the value, a reference at the root can be replaced by what it names. */
export function isAnnotatedReference(schema: Schema): boolean {
  const rest = Object.keys(schema).filter((keyword) => !annotations.has(keyword));
  return rest.every((keyword) => keyword === "$ref" || keyword === "$defs" || keyword === "definitions");
}

/** The values that a schema lists, if it lists any. */
function valuesOf(schema: Schema): readonly unknown[] {
  if ("const" in schema) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : [];
}

function isOfType(value: unknown, type: string): boolean {
  const found = typeOfScalar(value);
  return found !== "" && (found === type || (found === "integer" && type === "number"));
}

function isLoneReference(schema: Schema): boolean {
  return typeof schema.$ref === "string" && REFERENCE.test(schema.$ref) && isUnshaped(schema);
}

function isLoneUnion({ anyOf, oneOf, ...rest }: Schema): boolean {
  return (anyOf === undefined || oneOf === undefined) && isUnshaped(rest);
}

function isUnshaped(schema: Schema): boolean {
  return !Object.keys(schema).some((keyword) => SHAPING.has(keyword));
}

function isClosable(schema: Schema): boolean {
  const names = isObject(schema.properties) ? Object.keys(schema.properties) : [];
  const required = new Set<unknown>(Array.isArray(schema.required) ? schema.required : []);
  const closing = schema.additionalProperties ?? schema.unevaluatedProperties;
  const isMap = closing === undefined && names.length === 0;
  return (
    !isMap &&
    (closing === undefined || closing === false) &&
    (schema.unevaluatedProperties === undefined || schema.unevaluatedProperties === false) &&
    required.size === names.length &&
    names.every((name) => required.has(name)) &&
    (typeof schema.minProperties !== "number" || schema.minProperties <= names.length)
  );
}

/** Empty for arrays and objects. */
function typeOfScalar(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "string" || typeof value === "boolean" ? typeof value : "";
}
