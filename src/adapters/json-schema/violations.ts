import type { ErrorObject } from "ajv/dist/2020.js";
import type { SchemaViolation } from "../../core/json-schema.ts";
import { excerpt, expectationOf, listed } from "./expectations.ts";
import { pointerDepth, pointerTo } from "./pointer.ts";

const MAX_VIOLATIONS = 8;
const MAX_GOT = 80;

/** Errors that are put into words, some of which come to the same; each may quote a long part of the schema or value. */
const MAX_DESCRIBED = 64;

/** Turns ajv's errors into violations: noise of unions reduced, no two the same, shallowest first, at most 8. */
export function describeErrors(errors: readonly ErrorObject[], root: unknown): SchemaViolation[] {
  const violations = new Map<string, SchemaViolation>();
  for (const error of shallowestFirst(withoutNoise(errors)).slice(0, MAX_DESCRIBED)) {
    const violation = describe(error, root);
    const key = JSON.stringify([violation.path, violation.rule, violation.expected]);
    if (!violations.has(key)) violations.set(key, violation);
    if (violations.size === MAX_VIOLATIONS) break;
  }
  return [...violations.values()];
}

function shallowestFirst(errors: readonly ErrorObject[]): ErrorObject[] {
  const ranked = errors.map((error) => {
    const below = extraProperty(error) === undefined ? 0 : 1;
    return { error, depth: pointerDepth(error.instancePath) + below };
  });
  return ranked.sort((a, b) => a.depth - b.depth).map(({ error }) => error);
}

/** The name of a property that may not be there, which is what the error is about. */
function extraProperty({ params }: ErrorObject): string | undefined {
  const name: unknown = params.additionalProperty ?? params.unevaluatedProperty;
  return typeof name === "string" ? name : undefined;
}

/**
 * `anyOf` and `oneOf` report every branch and then themselves. The branches that do not even have the type (or the
 * constant) of the value are noise where another branch got further; if none did, only the union itself is told.
 * ajv lists the errors of the branches right before the union's, at its place in the value or below.
 */
function withoutNoise(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword === "if" && kept.length) continue;
    if (!isUnion(error)) {
      kept.push(error);
      continue;
    }
    const branches = takeBranches(kept, error.instancePath);
    const further = branches.filter((branch) => !isMismatch(branch, error.instancePath));
    if (further.length && !(Array.isArray(error.params.passingSchemas) && error.params.passingSchemas.length)) {
      kept.push(...further);
    } else {
      kept.push(error);
    }
  }
  return kept;
}

function isUnion(error: ErrorObject): boolean {
  return error.keyword === "anyOf" || error.keyword === "oneOf";
}

/** Removes and gives the errors at the end of the list that lie at a path or below it. */
function takeBranches(kept: ErrorObject[], path: string): ErrorObject[] {
  let start = kept.length;
  while (start > 0 && isAtOrBelow(kept[start - 1]?.instancePath ?? "", path)) start -= 1;
  return kept.splice(start);
}

function isAtOrBelow(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

function isMismatch(error: ErrorObject, path: string): boolean {
  return error.instancePath === path && ["type", "const", "enum", "false schema"].includes(error.keyword);
}

function describe(error: ErrorObject, root: unknown): SchemaViolation {
  const { params, keyword } = error;
  const value = error.data === undefined ? valueAt(root, error.instancePath) : error.data;
  const rule = keyword === "false schema" ? "false" : keyword;
  const expected = expectationOf(error);
  const extra = extraProperty(error);
  if (extra !== undefined) {
    const path = pointerTo(error.instancePath, extra);
    return { path, rule, expected, got: excerpt(`property ${JSON.stringify(extra)}`, MAX_GOT) };
  }
  if (keyword === "required" || keyword === "dependentRequired") {
    const missing = JSON.stringify(String(params.missingProperty));
    return { path: error.instancePath, rule, expected, got: excerpt(`no property ${missing}`, MAX_GOT) };
  }
  if (keyword === "oneOf" && Array.isArray(params.passingSchemas)) {
    return { path: error.instancePath, rule, expected, got: `${params.passingSchemas.length} of them match` };
  }
  return { path: error.instancePath, rule, expected, got: excerpt(gotten(keyword, value), MAX_GOT) };
}

function gotten(keyword: string, value: unknown): string {
  if (typeof value === "string") {
    if (/Length$/.test(keyword)) return `${countCharacters(value)} characters`;
    return `string ${JSON.stringify(value.slice(0, MAX_GOT))}`;
  }
  if (Array.isArray(value)) return /type|const|enum|Of$/.test(keyword) ? "array" : `${value.length} items`;
  if (typeof value === "object" && value) {
    const keys = Object.keys(value);
    return keys.length ? `object with ${listed(keys.slice(0, 8))}` : "object without properties";
  }
  return value === null || typeof value === "undefined" ? String(value) : `${typeof value} ${String(value)}`;
}

function countCharacters(text: string): number {
  let characters = text.length;
  for (let at = 1; at < text.length; at += 1) {
    const isLow = (text.charCodeAt(at) & 0xfc00) === 0xdc00;
    if (isLow && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) characters -= 1;
  }
  return characters;
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const step of pointer.split("/").slice(1)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return value;
}
