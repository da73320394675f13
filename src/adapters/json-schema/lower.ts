import type { SchemaMap } from "./check-schema.ts";
import { annotationKeywords, keywordShapes } from "./keywords.ts";
import { pointerTo } from "./pointer.ts";
import type { References } from "./references.ts";
import { isObject, type SchemaObject } from "./shapes.ts";

/** The keyword of our own that counts work; see budget.ts. No schema from outside can hold it: it would be unknown. */
export const COST_KEYWORD = "sluiceCost";

/** As many parts of a schema as are paid for by the size of the value it looks at. */
const FREE_PARTS = 8;

interface Lowering {
  readonly map: SchemaMap;
  readonly references: References;
  /** Our names of the schemas that are referred to, by pointer. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Rewrites a checked schema into the one that is compiled: without annotations, ids and anchors; with every schema that
 * is referred to under `$defs` by a name of ours, so that names and pointers from outside never reach the compiler's
 * own resolver; and with the cost of each step written in.
 */
export function lowerSchema(map: SchemaMap, references: References): SchemaObject | boolean {
  const names = new Map<string, string>();
  for (const target of references.values()) if (!names.has(target)) names.set(target, `d${names.size}`);
  const lowering: Lowering = { map, references, names };
  const root = lowerAt(lowering, map.schemas.get(""), "");
  const definitions: Record<string, unknown> = {};
  for (const [pointer, name] of names) definitions[name] = lowerBody(lowering, map.schemas.get(pointer), pointer);
  if (!isObject(root)) return root;
  return names.size ? { ...root, $defs: definitions } : root;
}

function lowerAt(lowering: Lowering, schema: unknown, pointer: string): SchemaObject | boolean {
  const name = lowering.names.get(pointer);
  return name ? { $ref: `#/$defs/${name}` } : lowerBody(lowering, schema, pointer);
}

function lowerBody(lowering: Lowering, schema: unknown, pointer: string): SchemaObject | boolean {
  if (!isObject(schema)) return schema !== false;
  const lowered: Record<string, unknown> = {};
  let parts = 0;
  for (const [keyword, value] of Object.entries(schema)) {
    if (annotationKeywords.has(keyword) || keyword === "$defs" || keyword === "definitions") continue;
    lowered[keyword] = lowerKeyword(lowering, keyword, value, pointer);
    if (typeof value === "object" && value) parts += Object.keys(value).length;
  }
  if (lowering.names.has(pointer) || parts > FREE_PARTS) lowered[COST_KEYWORD] = 1 + Math.floor(parts / FREE_PARTS);
  return lowered;
}

function lowerKeyword(lowering: Lowering, keyword: string, value: unknown, parent: string): unknown {
  const pointer = pointerTo(parent, keyword);
  const shape = keywordShapes.get(keyword);
  if (shape === "reference") {
    return `#/$defs/${lowering.names.get(lowering.references.get(parent) ?? "")}`;
  }
  if (shape === "schema") return lowerAt(lowering, value, pointer);
  if (shape === "schema_list" && Array.isArray(value)) {
    return value.map((child, index) => lowerAt(lowering, child, pointerTo(pointer, index)));
  }
  if ((shape === "schema_map" || shape === "pattern_map") && isObject(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, child]) => [key, lowerAt(lowering, child, pointerTo(pointer, key))]));
  }
  return value;
}
