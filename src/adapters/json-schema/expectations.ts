import type { ErrorObject } from "ajv/dist/2020.js";
import { isObject } from "./shapes.ts";

const MAX_EXPECTED = 200;

/** A text cut to a number of UTF-16 units, whole characters kept, with an ellipsis where something was cut. */
export function excerpt(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Words in quotes, separated by commas. */
export function listed(names: readonly unknown[]): string {
  return names.map((name) => JSON.stringify(name)).join(", ");
}

/** What a broken rule asks for, in words for a person and a model, at most 200 characters. */
export function expectationOf(error: ErrorObject): string {
  return excerpt(words(error), MAX_EXPECTED);
}

function words(error: ErrorObject): string {
  const { params, keyword, schema } = error;
  const limit = String(params.limit);
  switch (keyword) {
    case "type":
      return [params.type].flat().join(" or ");
    case "required":
      return `property ${JSON.stringify(params.missingProperty)}`;
    case "dependentRequired":
      return `property ${JSON.stringify(params.missingProperty)}, because ${JSON.stringify(params.property)} is there`;
    case "additionalProperties":
    case "unevaluatedProperties":
      return knownProperties(error);
    case "enum":
      return Array.isArray(schema) ? `one of ${listed(schema.slice(0, 40))}` : "one of the listed values";
    case "const":
      return schema === undefined ? "the constant value" : JSON.stringify(schema);
    case "maxLength":
      return `at most ${limit} characters`;
    case "minLength":
      return `at least ${limit} characters`;
    case "maxItems":
      return `at most ${limit} items`;
    case "minItems":
      return `at least ${limit} items`;
    case "maxProperties":
      return `at most ${limit} properties`;
    case "minProperties":
      return `at least ${limit} properties`;
    case "items":
      return `at most ${limit} items`;
    case "maximum":
    case "minimum":
    case "exclusiveMaximum":
    case "exclusiveMinimum":
      return `a number ${String(params.comparison)} ${limit}`;
    case "multipleOf":
      return typeof schema === "number" ? `a multiple of ${schema}` : "a multiple of the given number";
    case "uniqueItems":
      return "items that all differ";
    case "pattern":
      return `text that matches ${String(params.pattern)}`;
    case "format":
      return `text in the format ${String(params.format)}`;
    case "contains":
      return `${String(params.minContains)} or more items of the asked kind`;
    case "anyOf":
      return `a value of one of these kinds: ${kinds(schema)}`;
    case "oneOf":
      return `a value of exactly one of these kinds: ${kinds(schema)}`;
    case "not":
      return "a value of another kind";
    case "propertyNames":
      return `another name than ${JSON.stringify(params.propertyName)}`;
    case "false schema":
      return "nothing here";
    default:
      return `a value that satisfies ${keyword}`;
  }
}

function knownProperties(error: ErrorObject): string {
  const properties: unknown = error.parentSchema?.properties;
  const names = isObject(properties) ? Object.keys(properties) : [];
  return names.length ? `no property but ${listed(names)}` : "no other property";
}

/** The branches of a union by their type or constant, which is how people tell them apart. */
function kinds(schema: unknown): string {
  const branches: readonly unknown[] = Array.isArray(schema) ? schema : [];
  const names = branches.map((branch, index) => {
    if (!isObject(branch)) return `branch ${index + 1}`;
    if ("const" in branch) return JSON.stringify(branch.const);
    return branch.type === undefined ? `branch ${index + 1}` : [branch.type].flat().join(" or ");
  });
  return [...new Set(names)].join(", ");
}
