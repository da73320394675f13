import { isDeepStrictEqual } from "node:util";
import type { JsonSchema, SchemaViolation } from "../../core/json-schema.ts";
import { type ReadValue, readValue } from "./read-value.ts";
import { readWhole } from "./whole.ts";

/** The one value that fits the schema, or why there is none. */
export type Choice =
  | { readonly kind: "value"; readonly value: ReadValue; readonly isDoubleEncoded: boolean }
  | { readonly kind: "invalid"; readonly violations: readonly SchemaViolation[] }
  /** Two or more different values fit. */
  | { readonly kind: "ambiguous"; readonly count: number };

/**
 * Accepts a value if it is the only one of the candidates that fits the schema; equal ones count once. One that does not
 * fit, is of the same kind and comes later may be the answer that the first was an example for.
 * @param candidates at least one, in the order of the text.
 */
export function choose(candidates: readonly ReadValue[], schema: JsonSchema): Choice {
  const fitting: ReadValue[] = [];
  let violations: readonly SchemaViolation[] = [];
  let longest = -1;
  let later: readonly SchemaViolation[] | undefined;
  for (const candidate of candidates) {
    const found = validate(candidate, schema);
    if (!found.length) {
      if (!fitting.some((known) => isSame(known, candidate))) fitting.push(candidate);
      continue;
    }
    // Whether it fits is not known, and each further one may cost as much.
    if (found.some(({ rule }) => rule === "cost")) return { kind: "invalid", violations: found };
    if (fitting[0] && isOfOneKind(fitting[0].value, candidate.value)) later ??= found;
    if (candidate.text.length <= longest) continue;
    violations = found;
    longest = candidate.text.length;
  }
  const [first] = fitting;
  if (fitting.length > 1) return { kind: "ambiguous", count: fitting.length };
  if (later) return { kind: "invalid", violations: later };
  if (first) return { kind: "value", value: first, isDoubleEncoded: false };
  const decoded = candidates.length === 1 ? decode(candidates[0], schema) : undefined;
  return decoded ? { kind: "value", value: decoded, isDoubleEncoded: true } : { kind: "invalid", violations };
}

/** Two lists, or two objects that have a key in common. */
function isOfOneKind(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b);
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  return Object.keys(a).some((key) => Object.hasOwn(b, key));
}

/**
 * A number that no double holds is validated as both doubles around it: limits hold for what lies between two values
 * that keep them, and an `enum` or `const` matches neither wrongly.
 */
function validate(candidate: ReadValue, schema: JsonSchema): readonly SchemaViolation[] {
  const violations = schema.validate(candidate.value);
  if (violations.length || !candidate.isInexact) return violations;
  return schema.validate(readValue(candidate.text, 0, "other").value);
}

/** Whether two values are the same in JSON, which knows one zero only. */
export function isSame(a: ReadValue, b: ReadValue): boolean {
  if (a.isInexact || b.isInexact) return a.text === b.text;
  return isDeepStrictEqual(a.value, b.value) || JSON.stringify(a.value) === JSON.stringify(b.value);
}

/** One level of double encoding: a string that holds strict JSON of an object that fits, where the string does not. */
function decode(candidate: ReadValue | undefined, schema: JsonSchema): ReadValue | undefined {
  if (typeof candidate?.value !== "string") return undefined;
  const inner = readWhole(candidate.value);
  if (!inner || inner.repairs.size || typeof inner.value !== "object" || Array.isArray(inner.value)) return undefined;
  return validate(inner, schema).length ? undefined : inner;
}
