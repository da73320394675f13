import type { SchemaMap } from "./check-schema.ts";
import { COST_KEYWORD, type Cost } from "./cost-keyword.ts";
import { annotationKeywords, keywordShapes, partitionKeywords, passKeywords } from "./keywords.ts";
import { pointerTo } from "./pointer.ts";
import type { References } from "./references.ts";
import { isObject, type SchemaObject } from "./shapes.ts";

/** As many parts of a schema as one step looks at; the schema itself counts for two. */
const PARTS_PER_STEP = 8;

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
  const root = lowerAt(lowering, map.schemas.get(""), "", false);
  const definitions: Record<string, unknown> = {};
  for (const [pointer, name] of names) definitions[name] = lowerBody(lowering, map.schemas.get(pointer), pointer, true);
  if (!isObject(root)) return root;
  return names.size ? { ...root, $defs: definitions } : root;
}

function lowerAt(lowering: Lowering, schema: unknown, pointer: string, isShared: boolean): SchemaObject | boolean {
  const name = lowering.names.get(pointer);
  return name ? { $ref: `#/$defs/${name}` } : lowerBody(lowering, schema, pointer, isShared);
}

/** @param isShared whether other schemas, or this one by another way, may look at the same value. */
function lowerBody(lowering: Lowering, schema: unknown, pointer: string, isShared: boolean): SchemaObject | boolean {
  if (!isObject(schema)) return schema !== false;
  const lowered: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (annotationKeywords.has(keyword) || keyword === "$defs" || keyword === "definitions") continue;
    const isChildShared = isShared || !partitionKeywords.has(keyword) || "contains" in schema;
    lowered[keyword] = lowerKeyword(lowering, keyword, value, pointerTo(pointer, keyword), isChildShared);
  }
  lowered[COST_KEYWORD] = costOf(lowered, isShared);
  return lowered;
}

function costOf(lowered: SchemaObject, isShared: boolean): Cost {
  let parts = 0;
  let passes = 0;
  for (const [keyword, value] of Object.entries(lowered)) {
    // The values of an enum are looked up, not gone through.
    if (typeof value === "object" && value && keyword !== "enum") parts += Object.keys(value).length;
    if (passKeywords.has(keyword)) passes += 1;
  }
  const isPaid = parts <= PARTS_PER_STEP && (!isShared || (parts === 0 && passes === 0));
  return { steps: (2 + parts) / PARTS_PER_STEP, passes: isShared ? passes : 0, isPaid };
}

function lowerKeyword(
  lowering: Lowering,
  keyword: string,
  value: unknown,
  pointer: string,
  isShared: boolean,
): unknown {
  const lower = (child: unknown, step?: string | number) =>
    lowerAt(lowering, child, step === undefined ? pointer : pointerTo(pointer, step), isShared);
  const shape = keywordShapes.get(keyword);
  if (shape === "reference") {
    const target = lowering.references.get(pointer.slice(0, -"/$ref".length));
    return `#/$defs/${lowering.names.get(target ?? "")}`;
  }
  if (shape === "schema") return lower(value);
  if (shape === "schema_list" && Array.isArray(value)) return value.map(lower);
  if ((shape === "schema_map" || shape === "pattern_map") && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, lower(child, key)]));
  }
  return value;
}
