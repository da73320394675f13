import type { SchemaViolation } from "../../core/json-schema.ts";
import type { SchemaMap } from "./check-schema.ts";
import type { CompiledSchema } from "./compile.ts";
import { pointerTo } from "./pointer.ts";
import { isObject } from "./shapes.ts";
import { describeErrors } from "./violations.ts";

/** Levels of arrays and objects in a value; below it a recursive schema would use up the stack. */
const MAX_LEVELS = 512;
/** Beyond this only the first error is reported: all of them could take more memory than the value. */
const MAX_EXPLAINED_NODES = 10_000;

/** Makes the `validate` of a JsonSchema. Never throws, whatever the value: hostile depth and cost are violations. */
export function makeValidate(compiled: CompiledSchema, map: SchemaMap): (value: unknown) => readonly SchemaViolation[] {
  const hasUnevaluated = [...map.schemas.values()].some(
    (schema) => isObject(schema) && "unevaluatedProperties" in schema,
  );
  return (value) => {
    if (isDeeper(value, MAX_LEVELS)) return [violation("", "depth", `at most ${MAX_LEVELS} levels`, "more levels")];
    const verdict = compiled.check(value);
    if (verdict === "too_costly") return [tooCostly];
    if (!verdict.length) return hasUnevaluated ? inheritedNames(value, map) : [];
    const all = isLarger(value, MAX_EXPLAINED_NODES) ? verdict : compiled.explain(value);
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

/** Whether a value has more levels of arrays and objects than that. The recursion goes no deeper than `levels` either. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeper(item, levels - 1));
  const members = value as Readonly<Record<string, unknown>>;
  for (const key in members) if (isDeeper(members[key], levels - 1)) return true;
  return false;
}

/** Whether a value is made of more values than that. Only asked of values that are not too deep. */
function isLarger(value: unknown, nodes: number): boolean {
  let left = nodes;
  const takes = (item: unknown): boolean => {
    left -= 1;
    if (left < 0) return true;
    return typeof item === "object" && item !== null && Object.values(item).some(takes);
  };
  return takes(value);
}

/**
 * ajv looks up evaluated keys in a plain object, and so takes `toString` and its kin for evaluated. Where
 * `unevaluatedProperties` is used, keys of that kind pass only if the schema itself names them.
 */
function inheritedNames(value: unknown, map: SchemaMap): SchemaViolation[] {
  const pending: { item: unknown; path: string }[] = [{ item: value, path: "" }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (typeof next.item !== "object" || next.item === null) continue;
    for (const [key, child] of Object.entries(next.item)) {
      const path = pointerTo(next.path, key);
      if (!Array.isArray(next.item) && key in Object.prototype && !isNamed(key, map)) {
        return [violation(path, "unevaluatedProperties", "no other property", `property ${JSON.stringify(key)}`)];
      }
      pending.push({ item: child, path });
    }
  }
  return [];
}

function isNamed(key: string, map: SchemaMap): boolean {
  return [...map.schemas.values()].some(
    (schema) => isObject(schema) && isObject(schema.properties) && Object.hasOwn(schema.properties, key),
  );
}
