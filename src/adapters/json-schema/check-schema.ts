import { InvalidSchemaError } from "../../core/json-schema.ts";
import { nearestNames } from "../../core/nearest-names.ts";
import { foreignKeywords, keywordShapes } from "./keywords.ts";
import { pointerTo } from "./pointer.ts";
import { checkShape, isObject, type SchemaObject } from "./shapes.ts";

/** Schemas below schemas; the root is level 1. */
const MAX_LEVELS = 32;
const MAX_SCHEMAS = 4096;
/** In one `oneOf`, `anyOf`, `allOf` or `prefixItems`: compiling one takes time that grows with its square. */
const MAX_BRANCHES = 128;
/** Levels of arrays and objects in `const`, `enum`, `default` and `examples`. */
const MAX_LITERAL_LEVELS = 32;
const DIALECT = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

/** Where everything is in a schema that has been checked. */
export interface SchemaMap {
  /** Every place that holds a schema, by pointer; the root is the empty pointer. */
  readonly schemas: ReadonlyMap<string, SchemaObject | boolean>;
  /** Pointers by `$anchor`. */
  readonly anchors: ReadonlyMap<string, string>;
}

interface Draft {
  readonly schemas: Map<string, SchemaObject | boolean>;
  readonly anchors: Map<string, string>;
}

/**
 * Checks every keyword of a schema, except where references lead.
 * @throws InvalidSchemaError at the first problem in reading order.
 */
export function checkSchema(root: unknown): SchemaMap {
  const draft: Draft = { schemas: new Map(), anchors: new Map() };
  checkNode(draft, root, "", 1);
  refuseUncertainPair(draft);
  return draft;
}

/** ajv counts what a failing `if` has looked at as evaluated, and so accepts properties that must be refused. */
function refuseUncertainPair(draft: Draft): void {
  const holders = (keyword: string) => [...draft.schemas].filter(([, schema]) => isObject(schema) && keyword in schema);
  const [unevaluated] = holders("unevaluatedProperties");
  if (!unevaluated || !holders("if").length) return;
  const message = "unevaluatedProperties is not supported in one document with if; use oneOf";
  throw new InvalidSchemaError(pointerTo(unevaluated[0], "unevaluatedProperties"), "unevaluatedProperties", message);
}

function checkNode(draft: Draft, schema: unknown, pointer: string, level: number): void {
  if (typeof schema !== "boolean" && !isObject(schema)) {
    throw new InvalidSchemaError(pointer, "schema", "a schema must be an object, true or false");
  }
  if (level > MAX_LEVELS) throw new InvalidSchemaError(pointer, "depth", `at most ${MAX_LEVELS} levels of schemas`);
  draft.schemas.set(pointer, schema);
  if (draft.schemas.size > MAX_SCHEMAS) {
    throw new InvalidSchemaError(pointer, "size", `at most ${MAX_SCHEMAS} schemas in one document`);
  }
  if (typeof schema === "boolean") return;
  for (const [keyword, value] of Object.entries(schema)) checkKeyword(draft, keyword, value, pointer, level);
}

function checkKeyword(draft: Draft, keyword: string, value: unknown, parent: string, level: number): void {
  const pointer = pointerTo(parent, keyword);
  const shape = keywordShapes.get(keyword);
  if (!shape) throw unknownKeyword(keyword, pointer);
  checkShape(keyword, shape, value, pointer);
  if (shape === "schema_list" && Array.isArray(value) && value.length > MAX_BRANCHES) {
    throw new InvalidSchemaError(pointer, "size", `at most ${MAX_BRANCHES} schemas in a list; use enum for values`);
  }
  if (keyword === "$schema") checkDialect(value, pointer);
  if (keyword === "$id" && parent !== "") {
    throw new InvalidSchemaError(pointer, "$id", "$id is taken at the root only: one document holds one schema");
  }
  if (shape === "anchor") addAnchor(draft, String(value), parent, pointer);
  else if (shape === "schema") checkNode(draft, value, pointer, level + 1);
  else if (shape === "any" || shape === "value_list") checkLiteral(value, pointer, 1);
  else if (shape === "schema_list" || shape === "schema_map" || shape === "pattern_map") {
    for (const [step, child] of Object.entries(isObject(value) || Array.isArray(value) ? value : {})) {
      checkNode(draft, child, pointerTo(pointer, step), level + 1);
    }
  }
}

function unknownKeyword(keyword: string, pointer: string): InvalidSchemaError {
  const [nearest] = nearestNames(keyword, keywordShapes.keys(), 1);
  const advice = foreignKeywords.get(keyword) ?? `the nearest one is ${nearest}`;
  const name = JSON.stringify(keyword.slice(0, 64));
  return new InvalidSchemaError(pointer, "unknown_keyword", `${name} is not a keyword that is taken here; ${advice}`);
}

function checkDialect(value: unknown, pointer: string): void {
  if (typeof value === "string" && DIALECT.test(value)) return;
  const message = "$schema must be https://json-schema.org/draft/2020-12/schema, or be left out";
  throw new InvalidSchemaError(pointer, "$schema", message);
}

function addAnchor(draft: Draft, name: string, parent: string, pointer: string): void {
  if (draft.anchors.has(name)) throw new InvalidSchemaError(pointer, "$anchor", "this $anchor stands in two places");
  draft.anchors.set(name, parent);
}

function checkLiteral(value: unknown, pointer: string, level: number): void {
  if (typeof value !== "object" || value === null) return;
  if (level > MAX_LITERAL_LEVELS) {
    throw new InvalidSchemaError(pointer, "depth", `at most ${MAX_LITERAL_LEVELS} levels in a value`);
  }
  for (const [step, child] of Object.entries(value)) checkLiteral(child, pointerTo(pointer, step), level + 1);
}
