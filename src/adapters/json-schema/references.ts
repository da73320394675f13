import { InvalidSchemaError } from "../../core/json-schema.ts";
import type { SchemaMap } from "./check-schema.ts";
import { inPlaceKeywords } from "./keywords.ts";
import { pointerTo } from "./pointer.ts";
import { isObject, type SchemaObject } from "./shapes.ts";

/** Where each `$ref` leads: pointer of the schema that holds it to pointer of the schema it names. */
export type References = ReadonlyMap<string, string>;

/**
 * Resolves every `$ref` inside the document. Nothing is ever fetched, and no other schema is ever known.
 * @throws InvalidSchemaError rule "$ref" for one that leads outside, nowhere, or back to itself without going deeper
 * into the value (which would never end).
 */
export function resolveReferences(map: SchemaMap): References {
  const root = map.schemas.get("");
  const id = isObject(root) && typeof root.$id === "string" ? root.$id.replace(/#$/, "") : undefined;
  const references = new Map<string, string>();
  for (const [pointer, schema] of map.schemas) {
    if (!isObject(schema) || typeof schema.$ref !== "string") continue;
    const target = resolve(map, schema.$ref, id);
    if (target === undefined) {
      const message = "$ref must lead to a schema in this document: #, #/$defs/<name> or #<anchor>";
      throw new InvalidSchemaError(pointerTo(pointer, "$ref"), "$ref", message);
    }
    references.set(pointer, target);
  }
  refuseEndlessReferences(map, references);
  return references;
}

function resolve(map: SchemaMap, reference: string, id: string | undefined): string | undefined {
  const local = id && reference.startsWith(id) ? reference.slice(id.length) || "#" : reference;
  if (!local.startsWith("#")) return undefined;
  const fragment = decode(local.slice(1));
  if (fragment === undefined) return undefined;
  if (fragment === "" || fragment.startsWith("/")) return map.schemas.has(fragment) ? fragment : undefined;
  return map.anchors.get(fragment);
}

function decode(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}

/** Depth-first over the steps that stay at the same place of the value; each schema is looked at once. */
function refuseEndlessReferences(map: SchemaMap, references: References): void {
  const state = new Map<string, "open" | "done">();
  for (const start of references.keys()) {
    const stack = [start];
    while (stack.length) {
      const pointer = stack.at(-1) ?? "";
      if (state.has(pointer)) {
        state.set(pointer, "done");
        stack.pop();
        continue;
      }
      state.set(pointer, "open");
      for (const next of sameValueSteps(map, references, pointer)) {
        if (state.get(next) === "open") {
          const message = "this $ref leads back to itself without going deeper into the value";
          throw new InvalidSchemaError(pointerTo(start, "$ref"), "$ref", message);
        }
        if (!state.has(next)) stack.push(next);
      }
    }
  }
}

function sameValueSteps(map: SchemaMap, references: References, pointer: string): string[] {
  const schema = map.schemas.get(pointer);
  if (!isObject(schema)) return [];
  const target = references.get(pointer);
  const steps = target === undefined ? [] : [target];
  for (const keyword of inPlaceKeywords) steps.push(...childPointers(schema, keyword, pointer));
  return steps;
}

function childPointers(schema: SchemaObject, keyword: string, pointer: string): string[] {
  const value = schema[keyword];
  if (value === undefined) return [];
  const at = pointerTo(pointer, keyword);
  const isMany = Array.isArray(value) || keyword === "dependentSchemas";
  return isMany && typeof value === "object" && value ? Object.keys(value).map((step) => pointerTo(at, step)) : [at];
}
