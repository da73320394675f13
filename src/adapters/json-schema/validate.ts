import type { SchemaViolation } from "../../core/json-schema.ts";
import type { SchemaMap } from "./check-schema.ts";
import type { CompiledSchema } from "./compile.ts";
import { pointerTo } from "./pointer.ts";
import { isObject, type SchemaObject } from "./shapes.ts";
import { describeErrors } from "./violations.ts";

/** Levels of arrays and objects in a value; below it a recursive schema would use up the stack. */
const MAX_LEVELS = 512;
/** Beyond this only the first error is reported: all of them could take more memory than the value. */
const MAX_EXPLAINED_NODES = 10_000;

/** Makes the `validate` of a JsonSchema. Never throws, whatever the value: hostile depth and cost are violations. */
export function makeValidate(compiled: CompiledSchema, map: SchemaMap): (value: unknown) => readonly SchemaViolation[] {
  const schemas = [...map.schemas.values()].filter(isObject);
  const named = schemas.some((schema) => "unevaluatedProperties" in schema) ? namedProperties(schemas) : undefined;
  return (value) => {
    const nodes = countNodes(value);
    if (nodes === undefined) return [violation("", "depth", `at most ${MAX_LEVELS} levels`, "more levels")];
    const verdict = compiled.check(value, nodes);
    if (verdict === "too_costly") return [tooCostly];
    if (!verdict.length) return named ? inheritedNames(value, named) : [];
    const all = nodes > MAX_EXPLAINED_NODES ? verdict : compiled.explain(value, nodes);
    return describeErrors(all === "too_costly" || !all.length ? verdict : all, value);
  };
}

const tooCostly = violation(
  "",
  "cost",
  "a value that can be checked in bounded time",
  "a value that costs too much to check",
);

function violation(path: string, rule: string, expected: string, got: string): SchemaViolation {
  return { path, rule, expected, got };
}

/** How many values a value is made of; undefined where it is too deep. The recursion goes no deeper than that either. */
function countNodes(value: unknown, levels = MAX_LEVELS): number | undefined {
  if (typeof value !== "object" || value === null) return 1;
  if (levels === 0) return undefined;
  let nodes = 1;
  for (const child of Array.isArray(value) ? value : Object.values(value)) {
    const inner = countNodes(child, levels - 1);
    if (inner === undefined) return undefined;
    nodes += inner;
  }
  return nodes;
}

/**
 * ajv looks up evaluated keys in a plain object, and so takes `toString` and its kin for evaluated. Where
 * `unevaluatedProperties` is used, keys of that kind pass only if the schema itself names them.
 */
function inheritedNames(value: unknown, named: ReadonlySet<string>): SchemaViolation[] {
  const pending: { item: unknown; path: string }[] = [{ item: value, path: "" }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (typeof next.item !== "object" || next.item === null) continue;
    for (const [key, child] of Object.entries(next.item)) {
      const path = pointerTo(next.path, key);
      if (!Array.isArray(next.item) && key in Object.prototype && !named.has(key)) {
        return [violation(path, "unevaluatedProperties", "no other property", `property ${JSON.stringify(key)}`)];
      }
      pending.push({ item: child, path });
    }
  }
  return [];
}

function namedProperties(schemas: readonly SchemaObject[]): ReadonlySet<string> {
  return new Set(schemas.flatMap(({ properties }) => (isObject(properties) ? Object.keys(properties) : [])));
}
