import { isSchemaNode, Shape } from "../../adapters/prompt-files/index.ts";
import type { LoadedPrompt } from "../../core/prompt.ts";

/** Schemas may be recursive; callers' variables are at most this deep. */
const MAX_DEPTH = 16;

/**
 * What in a later version can break those who call the earlier one: variables that are refused now and were not before,
 * and answers that code written for the earlier version may not expect. Each as a sentence. Empty where nothing is known
 * to break; constraints that only combine in `not` or conditions are not looked into.
 */
export function breakingChanges(earlier: LoadedPrompt, later: LoadedPrompt): readonly string[] {
  const input: string[] = [];
  compareInput(shapeOf(earlier.inputSchemaText), shapeOf(later.inputSchemaText), "", MAX_DEPTH, input);
  return [...input, ...outputChanges(earlier, later)];
}

function outputChanges(earlier: LoadedPrompt, later: LoadedPrompt): readonly string[] {
  if (earlier.outputSchemaText === undefined) {
    return later.outputSchemaText === undefined ? [] : ["the answer is JSON now and was text"];
  }
  if (later.outputSchemaText === undefined) return ["the answer is text now and was JSON"];
  const changes: string[] = [];
  compareOutput(shapeOf(earlier.outputSchemaText), shapeOf(later.outputSchemaText), "", MAX_DEPTH, changes);
  return changes;
}

function shapeOf(schemaText: string): Shape {
  const schema: unknown = JSON.parse(schemaText);
  return Shape.of(isSchemaNode(schema) ? schema : {});
}

function compareInput(earlier: Shape, later: Shape, path: string, depth: number, changes: string[]): void {
  if (depth === 0) return;
  const label = path === "" ? "the variables" : `variable ${path}`;
  for (const kind of earlier.kinds) {
    if (!later.kinds.has(kind)) changes.push(`${label} can no longer be ${kind}`);
  }
  for (const value of missingValues(earlier, later)) changes.push(`${label} can no longer be ${value}`);
  for (const limit of tighterLimits(earlier, later)) changes.push(`${label} is limited more tightly: ${limit}`);
  for (const name of later.memberNames) {
    const isNewlyRequired = later.member(name)?.isRequired && !earlier.member(name)?.isRequired;
    if (isNewlyRequired) changes.push(`variable ${member(path, name)} is required now`);
  }
  for (const name of earlier.memberNames) {
    const before = earlier.member(name);
    const after = later.member(name);
    if (!after) changes.push(`variable ${member(path, name)} was removed`);
    else if (before) compareInput(before.shape, after.shape, member(path, name), depth - 1, changes);
  }
  if (earlier.kinds.has("array") && later.kinds.has("array")) {
    compareInput(earlier.items, later.items, `${path}[]`, depth - 1, changes);
  }
}

function compareOutput(earlier: Shape, later: Shape, path: string, depth: number, changes: string[]): void {
  if (depth === 0) return;
  const label = path === "" ? "the answer" : `${path} in the answer`;
  for (const kind of later.kinds) {
    if (!earlier.kinds.has(kind)) changes.push(`${label} can be ${kind} now`);
  }
  for (const value of missingValues(later, earlier)) changes.push(`${label} can be ${value} now`);
  for (const name of earlier.memberNames) {
    const before = earlier.member(name);
    const after = later.member(name);
    const what = `${member(path, name)} in the answer`;
    if (!after) changes.push(`${what} was removed`);
    else if (before?.isRequired && !after.isRequired) changes.push(`${what} may be absent now`);
    if (before && after) compareOutput(before.shape, after.shape, member(path, name), depth - 1, changes);
  }
  if (earlier.kinds.has("array") && later.kinds.has("array")) {
    compareOutput(earlier.items, later.items, `${path}[]`, depth - 1, changes);
  }
}

function member(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** Listed values that one shape allows and the other does not. A new list narrows what was free; that is one change. */
function missingValues(wide: Shape, narrow: Shape): readonly string[] {
  if (!narrow.values) return [];
  if (!wide.values) return [`anything but ${[...narrow.values].slice(0, 10).join(", ")}`];
  const allowed = narrow.values;
  return [...wide.values].filter((value) => !allowed.has(value));
}

function tighterLimits(earlier: Shape, later: Shape): readonly string[] {
  const tighter: string[] = [];
  for (const [keyword, limit] of later.limits) {
    const before = earlier.limits.get(keyword);
    const isLooser =
      typeof before === "number" &&
      typeof limit === "number" &&
      ((/max/i.test(keyword) && limit > before) || (/min/i.test(keyword) && limit < before));
    if (before === limit || isLooser) continue;
    tighter.push(`${keyword} ${limit}${before === undefined ? "" : ` instead of ${before}`}`);
  }
  return tighter;
}
