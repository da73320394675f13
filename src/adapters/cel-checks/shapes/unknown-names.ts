import { nearestNames } from "../../../core/nearest-names.ts";
import type { Shape } from "./shape.ts";

const LOOP_USE = "is called on a list, with a name and an expression: list.all(x, x > 0)";
/** Loops and `has` are no functions for the engine, which knows them while it parses, by what they are given. */
const MACROS: Readonly<Record<string, string>> = {
  has: "has takes a member, such as has(output.note)",
  all: `all ${LOOP_USE}`,
  exists: `exists ${LOOP_USE}`,
  exists_one: `exists_one ${LOOP_USE}`,
  map: `map ${LOOP_USE}`,
  filter: `filter ${LOOP_USE}`,
};

/** What other languages call them. */
const FOREIGN: Readonly<Record<string, string>> = {
  len: "size",
  length: "size",
  count: "size",
  includes: "contains",
  any: "exists",
  some: "exists",
  every: "all",
  total: "sum",
  regex: "matches",
  str: "string",
  not: "!",
};

/** "there is no function quotd; the nearest is quoted". */
export function noFunction(name: string, known: Iterable<string>): string {
  const use = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined;
  if (use !== undefined) return use;
  const spelled = [...known].filter((candidate) => /^[a-zA-Z]/.test(candidate));
  const [nearest] = Object.hasOwn(FOREIGN, name)
    ? [FOREIGN[name]]
    : nearestNames(name, [...spelled, ...Object.keys(MACROS)], 1);
  return `there is no function ${name}; the nearest is ${nearest}`;
}

/** What to write in place of a variable that there is not. */
export function noVariable(name: string, output: Shape | undefined): string {
  const isMember = output?.memberNames?.includes(name) ?? false;
  return `there is no ${name}; a rule sees output, input and chunks${isMember ? `: write output.${name}` : ""}`;
}

/** Why a member cannot be asked for, and what was probably meant. */
export function noMember(
  name: string,
  owner: Shape,
  at: { readonly isInput: boolean; readonly remedy: string },
): string {
  const { memberNames = [] } = owner;
  if (at.isInput && memberNames.length === 0) {
    return `there is no input.${name}: messages have no variables, and a prompt has those that it declares`;
  }
  const [nearest] = nearestNames(name, memberNames, 1);
  return `the schema has no ${name} here${nearest === undefined ? "" : ` (the nearest is ${nearest})`}${at.remedy}`;
}
