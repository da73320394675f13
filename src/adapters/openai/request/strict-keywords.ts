/** What becomes of a keyword of JSON Schema in a schema for OpenAI's strict mode. */
export type KeywordFate =
  /** Taken as it is. */
  | "kept"
  /** Taken, and what is below it is adapted. */
  | "adapted"
  /** Left out: it says nothing about the answer. */
  | "dropped"
  /** Left out of the rules and told in the description instead: it limits one value and shapes nothing. */
  | "told";

/**
 * The keywords that every endpoint with a strict mode takes are kept (OpenAI, Structured Outputs guide, "Supported
 * schemas"; Azure's list is the shorter one). OpenAI itself also takes some limits, such as `pattern`, but not for
 * fine-tuned models and not in every spelling; a refused schema would cost the native mode altogether, and our own
 * validation keeps the limits in any case. What is not listed (`allOf`, `not`, `if`, `prefixItems`, `patternProperties`
 * and so on) shapes the answer in ways that no adapted schema could say: such schemas are not adapted.
 */
export const keywordFates: ReadonlyMap<string, KeywordFate> = new Map<string, KeywordFate>([
  ["type", "kept"],
  ["enum", "kept"],
  ["const", "kept"],
  ["title", "kept"],
  ["description", "kept"],
  ["required", "kept"],
  ["additionalProperties", "kept"],
  ["properties", "adapted"],
  ["items", "adapted"],
  ["anyOf", "adapted"],
  ["oneOf", "adapted"],
  ["$defs", "adapted"],
  ["definitions", "adapted"],
  ["$ref", "kept"],
  ["$schema", "dropped"],
  ["$id", "dropped"],
  ["$anchor", "dropped"],
  ["$comment", "dropped"],
  ["default", "dropped"],
  ["deprecated", "dropped"],
  ["examples", "dropped"],
  ["readOnly", "dropped"],
  ["writeOnly", "dropped"],
  ["contentSchema", "dropped"],
  ["unevaluatedProperties", "dropped"],
  ["contentEncoding", "told"],
  ["contentMediaType", "told"],
  ["format", "told"],
  ["pattern", "told"],
  ["minLength", "told"],
  ["maxLength", "told"],
  ["minimum", "told"],
  ["maximum", "told"],
  ["exclusiveMinimum", "told"],
  ["exclusiveMaximum", "told"],
  ["multipleOf", "told"],
  ["minItems", "told"],
  ["maxItems", "told"],
  ["uniqueItems", "told"],
  ["minProperties", "told"],
  ["maxProperties", "told"],
  ["propertyNames", "told"],
]);

/** Keywords that say nothing about which values are valid. */
export const annotations: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$comment",
  "title",
  "description",
  "default",
  "deprecated",
  "examples",
  "readOnly",
  "writeOnly",
]);
