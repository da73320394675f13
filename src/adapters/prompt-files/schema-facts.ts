import { isSchemaNode, resolveLocalRef, type SchemaNode } from "./schema-nodes.ts";

export type JsonKind = "array" | "boolean" | "null" | "number" | "object" | "string";

const ALL_KINDS: readonly JsonKind[] = ["array", "boolean", "null", "number", "object", "string"];

/** What a schema says about the form of its values, references followed and combinations merged. */
export interface Facts {
  readonly kinds: ReadonlySet<JsonKind>;
  readonly members: ReadonlyMap<string, SchemaNode>;
  readonly required: ReadonlySet<string>;
  readonly items: SchemaNode;
  readonly values?: ReadonlySet<string>;
  readonly limits: ReadonlyMap<string, number | string>;
}

const LIMITS = [
  "exclusiveMaximum",
  "exclusiveMinimum",
  "format",
  "maxItems",
  "maxLength",
  "maximum",
  "minItems",
  "minLength",
  "minimum",
  "multipleOf",
  "pattern",
];

const ANYTHING: SchemaNode = Object.freeze({});
const NO_FACTS: Facts = {
  kinds: new Set(ALL_KINDS),
  members: new Map(),
  required: new Set(),
  items: ANYTHING,
  limits: new Map(),
};

/** `open` holds the schemas that are being looked at, so that one that contains itself comes to an end. */
export function factsOf(root: SchemaNode, node: SchemaNode, open: ReadonlySet<SchemaNode>): Facts {
  // A schema that contains itself at the same place says nothing new.
  if (open.has(node)) return NO_FACTS;
  const within = new Set(open).add(node);
  const facts = (value: unknown) => (isSchemaNode(value) ? factsOf(root, value, within) : NO_FACTS);
  const parts = [ownFacts(node)];
  if (typeof node.$ref === "string") parts.push(facts(resolveLocalRef(root, node.$ref)));
  for (const part of list(node.allOf)) parts.push(facts(part));
  for (const choice of [node.anyOf, node.oneOf]) {
    if (list(choice).length > 0) parts.push(list(choice).map(facts).reduce(either));
  }
  if (node.if !== undefined) parts.push(either(facts(node.then), facts(node.else)));
  return parts.reduce(both);
}

function ownFacts(node: SchemaNode): Facts {
  const members = Object.entries(isSchemaNode(node.properties) ? node.properties : {});
  const required = list(node.required).filter((name) => typeof name === "string");
  return {
    kinds: ownKinds(node),
    members: new Map(members.map(([name, member]) => [name, isSchemaNode(member) ? member : ANYTHING])),
    required: new Set(required),
    items: ownItems(node),
    values: ownValues(node),
    limits: ownLimits(node),
  };
}

function ownValues(node: SchemaNode): ReadonlySet<string> | undefined {
  if (Object.hasOwn(node, "const")) return new Set([JSON.stringify(node.const)]);
  return Array.isArray(node.enum) ? new Set(node.enum.map((value) => JSON.stringify(value))) : undefined;
}

function ownLimits(node: SchemaNode): ReadonlyMap<string, number | string> {
  const limits = new Map<string, number | string>();
  for (const keyword of LIMITS) {
    const limit = node[keyword];
    if (typeof limit === "number" || typeof limit === "string") limits.set(keyword, limit);
  }
  return limits;
}

function ownKinds(node: SchemaNode): ReadonlySet<JsonKind> {
  const types = typeof node.type === "string" ? [node.type] : list(node.type);
  if (types.length > 0) {
    const named = types.map((type) => (type === "integer" ? "number" : type));
    return new Set(ALL_KINDS.filter((kind) => named.includes(kind)));
  }
  if (Object.hasOwn(node, "const")) return new Set([kindOf(node.const)]);
  const values = list(node.enum);
  return new Set(values.length > 0 ? values.map(kindOf) : ALL_KINDS);
}

function ownItems(node: SchemaNode): SchemaNode {
  const mapValues = isSchemaNode(node.patternProperties) ? Object.values(node.patternProperties) : [];
  const places = [node.items, ...list(node.prefixItems), node.additionalProperties, ...mapValues].filter(isSchemaNode);
  const [only] = places;
  if (places.length === 1 && only) return only;
  return places.length > 1 ? { anyOf: places } : ANYTHING;
}

/** The facts of values that satisfy both. */
function both(a: Facts, b: Facts): Facts {
  return {
    kinds: intersection(a.kinds, b.kinds),
    members: mergeMembers(a, b, "allOf"),
    required: union(a.required, b.required),
    items: mergeNodes(a.items, b.items, "allOf"),
    values: a.values && b.values ? intersection(a.values, b.values) : (a.values ?? b.values),
    limits: new Map([...a.limits, ...b.limits]),
  };
}

/** The facts of values that satisfy one or the other. */
function either(a: Facts, b: Facts): Facts {
  return {
    kinds: union(a.kinds, b.kinds),
    members: mergeMembers(a, b, "anyOf"),
    required: intersection(a.required, b.required),
    items: a.items === ANYTHING || b.items === ANYTHING ? ANYTHING : mergeNodes(a.items, b.items, "anyOf"),
    values: a.values && b.values && union(a.values, b.values),
    limits: new Map([...a.limits].filter(([keyword, limit]) => b.limits.get(keyword) === limit)),
  };
}

function mergeMembers(a: Facts, b: Facts, how: "allOf" | "anyOf"): ReadonlyMap<string, SchemaNode> {
  const members = new Map(a.members);
  for (const [name, node] of b.members) {
    const other = members.get(name);
    members.set(name, other ? mergeNodes(other, node, how) : node);
  }
  return members;
}

function mergeNodes(a: SchemaNode, b: SchemaNode, how: "allOf" | "anyOf"): SchemaNode {
  if (a === b || b === ANYTHING) return a;
  return a === ANYTHING ? b : { [how]: [a, b] };
}

function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}

function intersection<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a].filter((element) => b.has(element)));
}

function kindOf(value: unknown): JsonKind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "number" || type === "string" || type === "boolean" ? type : "object";
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
