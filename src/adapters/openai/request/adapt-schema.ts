import { rootReference } from "../../../core/json-schema.ts";
import { isObject } from "../untrusted.ts";
import {
  type JsonSource,
  type MemberSource,
  memberOf,
  newMember,
  type ObjectSource,
  parsedSource,
  readJsonSource,
  writeJsonSource,
} from "./json-source.ts";
import { keywordFates } from "./strict-keywords.ts";
import { StrictTotals } from "./strict-limits.ts";
import { fitsStrictShape, isAnnotatedReference, isStrictRoot, typesOf } from "./strict-shape.ts";

/** Levels of schemas below the root (OpenAI, Structured Outputs guide: "up to 10 levels of nesting"). */
const MAX_DEPTH = 10;

/** A schema as it is sent in `response_format`. */
export interface AdaptedSchema {
  readonly schemaText: string;
  /** Whether the provider may be asked to keep to it. Else it guides the model, and our own validation decides alone. */
  readonly strict: boolean;
}

/**
 * Adapts a schema to the subset that the strict mode of OpenAI's structured outputs takes. The adapted schema accepts
 * every value that the given one accepts, unless it has properties that the schema does not name: objects that are
 * neither open nor closed are closed, limits are told in the description instead, `oneOf` becomes `anyOf`. No property
 * becomes required or nullable. A schema for which that is not enough keeps its own text, with `strict: false`. The order of
 * keys and the digits of numbers stay as they are.
 * @throws SyntaxError where the text is no JSON.
 */
export function adaptSchema(text: string): AdaptedSchema {
  const given = readJsonSource(text);
  const root = replaceRootReference(given);
  const adapted = isStrictRoot(parsedSource(root)) ? adaptSchemaAt(root, 0, new StrictTotals()) : undefined;
  if (adapted) return { schemaText: writeJsonSource(adapted), strict: true };
  return { schemaText: root === given ? text : writeJsonSource(root), strict: false };
}

/**
 * A root that is a mere reference, as generators write recursive types, says at the root itself what it names: providers
 * want to see `"type": "object"` there.
 */
function replaceRootReference(root: JsonSource): JsonSource {
  const schema = parsedSource(root);
  if (root.kind !== "object" || !isObject(schema) || !isAnnotatedReference(schema)) return root;
  const reference = rootReference(schema.$ref);
  const named = reference && memberOf(memberOf(root, reference.holder), reference.name);
  if (named?.kind !== "object") return root;
  const own = root.members.filter(({ key }) => key !== "$ref");
  const taken = new Set(own.map(({ key }) => key));
  // What the named schema holds of the same keys can only be annotations, or definitions that nothing else reaches.
  if (named.members.some(({ key }) => key === "$defs" || key === "definitions")) return root;
  return { kind: "object", members: [...named.members.filter(({ key }) => !taken.has(key)), ...own] };
}

/** Undefined where the strict mode cannot say what the schema says. */
function adaptSchemaAt(source: JsonSource, depth: number, totals: StrictTotals): ObjectSource | undefined {
  const schema = parsedSource(source);
  if (source.kind !== "object" || !isObject(schema) || depth > MAX_DEPTH) return undefined;
  if (!fitsStrictShape(schema) || !totals.add(schema)) return undefined;
  // Beside a reference the strict mode takes nothing, not even a description.
  if (schema.$ref !== undefined) return { kind: "object", members: source.members.filter(({ key }) => key === "$ref") };
  const members: MemberSource[] = [];
  const told: MemberSource[] = [];
  for (const member of source.members) {
    const fate = keywordFates.get(member.key);
    if (fate === "told") told.push(member);
    else if (fate === "kept") members.push(member);
    else if (fate === "adapted") {
      const adapted = adaptMember(member, depth, totals);
      if (!adapted) return undefined;
      members.push(adapted);
    }
  }
  return { kind: "object", members: describeLimits(completeShape(members, schema), told) };
}

function adaptMember(member: MemberSource, depth: number, totals: StrictTotals): MemberSource | undefined {
  const adapt = (source: JsonSource) => adaptSchemaAt(source, depth + 1, totals);
  const { key, value } = member;
  if (key === "items") return withValue(member, adapt(value));
  if (value.kind === "array") {
    const items = everyOf(value.items.map(adapt));
    return items && { ...newMember("anyOf", []), value: { kind: "array", items } };
  }
  if (value.kind !== "object") return undefined;
  const members = everyOf(value.members.map((inner) => withValue(inner, adapt(inner.value))));
  return members && withValue(member, { kind: "object", members });
}

/** Says what the schema left unsaid: the type of its only values, and that an object has no other properties. */
function completeShape(members: readonly MemberSource[], schema: Readonly<Record<string, unknown>>): MemberSource[] {
  // Every branch of a union has types of its own; the one beside it is validated afterwards.
  if (schema.anyOf !== undefined || schema.oneOf !== undefined) return members.filter(({ key }) => key !== "type");
  const types = typesOf(schema);
  const complete = [...members];
  const add = (key: string, value: unknown) => {
    if (!members.some((member) => member.key === key)) complete.push(newMember(key, value));
  };
  add("type", types.length === 1 ? types[0] : types);
  if (!types.includes("object")) return complete;
  add("properties", {});
  add("required", []);
  add("additionalProperties", false);
  return complete;
}

/** Models read descriptions; what they are not held to they can at least know. */
function describeLimits(members: readonly MemberSource[], told: readonly MemberSource[]): readonly MemberSource[] {
  if (told.length === 0) return members;
  const limits = `Must also satisfy ${writeJsonSource({ kind: "object", members: told })}`;
  const own = members.find(({ key }) => key === "description");
  if (!own) return [...members, newMember("description", limits)];
  const described = newMember("description", `${String(parsedSource(own.value))} ${limits}`);
  return members.map((member) => (member === own ? described : member));
}

function withValue(member: MemberSource, value: JsonSource | undefined): MemberSource | undefined {
  return value && { ...member, value };
}

function everyOf<T>(list: readonly (T | undefined)[]): readonly T[] | undefined {
  const present = list.filter((item) => item !== undefined);
  return present.length === list.length ? present : undefined;
}
