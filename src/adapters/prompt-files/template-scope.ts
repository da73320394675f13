import { nearestNames } from "../../core/nearest-names.ts";
import type { PromptRule } from "./problems.ts";
import { CONTEXT_NAME } from "./reserved-names.ts";
import { type JsonKind, Shape } from "./shape.ts";

/** What a path in a template stands for. */
export interface Reference {
  readonly shape: Shape;
  /** Names the place in the variables, so that equal places have equal keys; members have longer keys than their owners. */
  readonly key: string;
  /** As an author would write it. */
  readonly label: string;
  /** Whether the value may be absent or null. */
  readonly mayBeMissing: boolean;
}

/** Where in the template a path stands: what `this` is, and what is known there. */
export interface Scope {
  readonly self: Reference;
  /** The scope that `../` leads to. `#each` and `#with` open scopes; `#if` and `#unless` do not. */
  readonly parent?: Scope;
  readonly isItem: boolean;
  readonly blockParams: ReadonlyMap<string, Reference>;
  /** Keys of references that a surrounding block has found to be present. */
  readonly present: ReadonlySet<string>;
}

/** A path that cannot be used. */
export class PathProblem {
  readonly rule: PromptRule;
  readonly message: string;

  constructor(rule: PromptRule, message: string) {
    this.rule = rule;
    this.message = message;
  }
}

const CONTEXT_SHAPE = Shape.of({
  type: "array",
  items: {
    type: "object",
    properties: { id: { type: "string" }, text: { type: "string" } },
    required: ["id", "text"],
  },
});

const ROOT_KEY = "";

export const contextKey = `${ROOT_KEY}/${CONTEXT_NAME}`;

/** The scope in which a template begins. */
export function rootScope(variables: Shape): Scope {
  const self = { shape: variables, key: ROOT_KEY, label: "this", mayBeMissing: false };
  return { self, isItem: false, blockParams: new Map(), present: new Set() };
}

/** A number or text that the template language itself provides, such as `@index`. */
export function builtinReference(name: string, kind: "boolean" | "number" | "string"): Reference {
  return { shape: Shape.of({ type: kind }), key: `@${name}`, label: `@${name}`, mayBeMissing: false };
}

export function isRoot(reference: Reference): boolean {
  return reference.key === ROOT_KEY;
}

/** Follows a path from a scope. */
export function resolvePath(path: hbs.AST.PathExpression, scope: Scope): Reference | PathProblem {
  const start = startOf(path, scope);
  if (start instanceof PathProblem) return start;
  let at = start.reference;
  for (const name of start.rest) {
    const next = memberOf(at, name, scope);
    if (next instanceof PathProblem) return next;
    at = next;
  }
  return at;
}

interface Start {
  readonly reference: Reference;
  readonly rest: readonly string[];
}

function startOf(path: hbs.AST.PathExpression, scope: Scope): Start | PathProblem {
  const [first, ...rest] = path.parts;
  if (path.data) return dataStart(path, scope);
  if (path.depth > 0) return parentStart(path, scope);
  // Handlebars' own test (`AST.helpers.scopedId`) for `./name` and `this.name`, which block parameters do not cover.
  const isScoped = /^\.|this\b/.test(path.original);
  const parameter = first === undefined || isScoped ? undefined : scope.blockParams.get(first);
  return parameter ? { reference: parameter, rest } : { reference: scope.self, rest: path.parts };
}

function dataStart(path: hbs.AST.PathExpression, scope: Scope): Start | PathProblem {
  const [name, ...rest] = path.parts;
  if (path.depth === 0 && name === "root") {
    let top = scope;
    while (top.parent) top = top.parent;
    return { reference: top.self, rest };
  }
  let item: Scope | undefined = scope;
  while (item && !item.isItem) item = item.parent;
  if (path.depth === 0 && item && rest.length === 0) {
    if (name === "index" || name === "key") return { reference: builtinReference(name, "string"), rest };
    if (name === "first" || name === "last") return { reference: builtinReference(name, "boolean"), rest };
  }
  return new PathProblem(
    "unknown_data",
    `${path.original}: only @root, and within #each @index, @key, @first and @last`,
  );
}

function parentStart(path: hbs.AST.PathExpression, scope: Scope): Start | PathProblem {
  let at = scope;
  for (let depth = path.depth; depth > 0; depth--) {
    if (!at.parent) return new PathProblem("unknown_variable", `${path.original} leads out of the variables`);
    // Handlebars opens no new level where a block's value is the very value it stands in, so what `../` means would
    // depend on the data. That cannot happen to a part of the surrounding value.
    if (!at.self.key.startsWith(`${at.parent.self.key}/`)) {
      const remedy = "use @root, or name the outer value with as |name|";
      return new PathProblem("ambiguous_parent", `${path.original} does not have one meaning here; ${remedy}`);
    }
    at = at.parent;
  }
  return { reference: at.self, rest: path.parts };
}

function memberOf(owner: Reference, name: string, scope: Scope): Reference | PathProblem {
  const label = isRoot(owner) ? name : `${owner.label}.${name}`;
  const key = `${owner.key}/${name}`;
  if (key === contextKey) return { shape: CONTEXT_SHAPE, key, label, mayBeMissing: false };
  const others = [...owner.shape.kinds].filter((kind) => kind !== "object" && kind !== "null");
  if (others.length > 0 || !owner.shape.kinds.has("object")) {
    const found = others.length > 0 ? others.join(" or ") : "null";
    const remedy = others.includes("array") ? "; go through a list with #each" : "; declare its type as object";
    return new PathProblem(
      "path_type",
      `${label}: ${owner.label} may be ${found}, which has no named members${remedy}`,
    );
  }
  const member = owner.shape.member(name);
  if (!member) return new PathProblem("unknown_variable", unknownMessage(owner, name, label, scope));
  if (owner.mayBeMissing && !scope.present.has(owner.key)) {
    const remedy = `put it inside {{#if ${owner.label}}} or {{#with ${owner.label}}}`;
    return new PathProblem("optional_path", `${label} reads through ${owner.label}, which may be absent; ${remedy}`);
  }
  const mayBeMissing = !member.isRequired || member.shape.kinds.has("null");
  return { shape: member.shape, key, label, mayBeMissing };
}

function unknownMessage(owner: Reference, name: string, label: string, scope: Scope): string {
  let outer = scope.parent;
  while (outer?.parent) outer = outer.parent;
  if (outer?.self.shape.member(name) || (outer && name === CONTEXT_NAME)) {
    return `${label} is not declared here, but at the top: write @root.${name}`;
  }
  const known = nearestNames(name, owner.shape.memberNames);
  return `${label} is not declared in the input schema${known.length > 0 ? `; declared are ${known.join(", ")}` : ""}`;
}

/** Whether every value the reference may have is of one of these kinds, apart from null. */
export function isOnly(reference: Reference, kinds: readonly JsonKind[]): boolean {
  return [...reference.shape.kinds].every((kind) => kind === "null" || kinds.includes(kind));
}
