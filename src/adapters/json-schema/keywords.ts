/** What the value of a keyword must look like, and so how the schema goes on below it. */
export type KeywordShape =
  | "schema"
  | "schema_list"
  | "schema_map"
  | "pattern_map"
  | "string"
  | "boolean"
  | "number"
  | "positive_number"
  | "natural"
  | "type"
  | "value_list"
  | "string_list"
  | "string_list_map"
  | "pattern"
  | "format"
  | "reference"
  | "anchor"
  | "any";

/**
 * The keywords that are taken, after the vocabularies of https://json-schema.org/draft/2020-12/json-schema-core and
 * json-schema-validation. `definitions` is the deprecated spelling of `$defs` that the 2020-12 meta-schema still knows
 * and many generators still write.
 */
export const keywordShapes: ReadonlyMap<string, KeywordShape> = new Map<string, KeywordShape>([
  ["$schema", "string"],
  ["$id", "string"],
  ["$anchor", "anchor"],
  ["$ref", "reference"],
  ["$defs", "schema_map"],
  ["definitions", "schema_map"],
  ["$comment", "string"],
  ["type", "type"],
  ["enum", "value_list"],
  ["const", "any"],
  ["multipleOf", "positive_number"],
  ["maximum", "number"],
  ["exclusiveMaximum", "number"],
  ["minimum", "number"],
  ["exclusiveMinimum", "number"],
  ["maxLength", "natural"],
  ["minLength", "natural"],
  ["pattern", "pattern"],
  ["format", "format"],
  ["maxItems", "natural"],
  ["minItems", "natural"],
  ["uniqueItems", "boolean"],
  ["maxContains", "natural"],
  ["minContains", "natural"],
  ["maxProperties", "natural"],
  ["minProperties", "natural"],
  ["required", "string_list"],
  ["dependentRequired", "string_list_map"],
  ["allOf", "schema_list"],
  ["anyOf", "schema_list"],
  ["oneOf", "schema_list"],
  ["not", "schema"],
  ["if", "schema"],
  ["then", "schema"],
  ["else", "schema"],
  ["dependentSchemas", "schema_map"],
  ["prefixItems", "schema_list"],
  ["items", "schema"],
  ["contains", "schema"],
  ["properties", "schema_map"],
  ["patternProperties", "pattern_map"],
  ["additionalProperties", "schema"],
  ["propertyNames", "schema"],
  ["unevaluatedProperties", "schema"],
  ["title", "string"],
  ["description", "string"],
  ["default", "any"],
  ["deprecated", "boolean"],
  ["readOnly", "boolean"],
  ["writeOnly", "boolean"],
  ["examples", "value_list"],
  ["contentEncoding", "string"],
  ["contentMediaType", "string"],
  ["contentSchema", "schema"],
]);

/** Keywords that say nothing about whether a value is valid; they are left out before compiling. */
export const annotationKeywords: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$anchor",
  "$comment",
  "title",
  "description",
  "default",
  "deprecated",
  "readOnly",
  "writeOnly",
  "examples",
  "contentEncoding",
  "contentMediaType",
  "contentSchema",
]);

/** Keywords whose subschemas look at the same value as the schema they stand in. */
export const inPlaceKeywords: ReadonlySet<string> = new Set([
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentSchemas",
]);

/** Keywords that give each part of a value to one schema of theirs; others may show one part to several. */
export const partitionKeywords: ReadonlySet<string> = new Set([
  "properties",
  "additionalProperties",
  "prefixItems",
  "items",
]);

/** Keywords whose work grows with the number of items, properties or characters of the value. */
export const passKeywords: ReadonlySet<string> = new Set([
  "maxLength",
  "minLength",
  "format",
  "items",
  "contains",
  "uniqueItems",
  "maxProperties",
  "minProperties",
  "patternProperties",
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
]);

/** What to write instead of a keyword of another draft or dialect. */
export const foreignKeywords: ReadonlyMap<string, string> = new Map([
  ["id", "use $id"],
  ["dependencies", "use dependentRequired or dependentSchemas"],
  ["additionalItems", "use prefixItems with items"],
  ["nullable", 'use a type list such as ["string", "null"]'],
  ["example", "use examples"],
  ["discriminator", "use oneOf with a const in each branch"],
  ["$recursiveRef", "use $ref"],
  ["$recursiveAnchor", "use $anchor"],
  ["$dynamicRef", "use $ref; dynamic references are not supported"],
  ["$dynamicAnchor", "use $anchor; dynamic references are not supported"],
  ["$vocabulary", "it belongs into meta-schemas"],
  // ajv accepts arrays that it must refuse where this meets contains or a union, and nothing may be accepted wrongly.
  ["unevaluatedItems", "use prefixItems with items; unevaluatedItems is not supported"],
]);

/** The types of JSON Schema. */
export const typeNames: ReadonlySet<string> = new Set([
  "null",
  "boolean",
  "object",
  "array",
  "number",
  "integer",
  "string",
]);
