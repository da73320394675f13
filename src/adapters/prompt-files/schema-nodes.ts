/** A JSON Schema node that is an object; `true` and `false` are the other two. */
export type SchemaNode = Readonly<Record<string, unknown>>;

export function isSchemaNode(value: unknown): value is SchemaNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const ONE_SCHEMA = [
  "additionalProperties",
  "contains",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
];
const SCHEMA_LISTS = ["allOf", "anyOf", "oneOf", "prefixItems"];
const SCHEMA_MAPS = ["$defs", "dependentSchemas", "patternProperties", "properties"];

/**
 * Visits a schema and every schema in it, with the JSON pointer of each. Only places that hold schemas are followed, so
 * data in `const`, `enum`, `default` and `examples` is never taken for one. The schema must have compiled: compiling
 * bounds its depth.
 */
export function visitSchemas(root: SchemaNode, visit: (node: SchemaNode, pointer: string) => void, pointer = ""): void {
  visit(root, pointer);
  const into = (value: unknown, at: string) => {
    if (isSchemaNode(value)) visitSchemas(value, visit, at);
  };
  for (const key of ONE_SCHEMA) into(root[key], `${pointer}/${key}`);
  for (const key of SCHEMA_LISTS) {
    const list: unknown = root[key];
    if (!Array.isArray(list)) continue;
    for (const [index, item] of list.entries()) into(item, `${pointer}/${key}/${index}`);
  }
  for (const key of SCHEMA_MAPS) {
    const map = root[key];
    if (!isSchemaNode(map)) continue;
    for (const [name, member] of Object.entries(map)) into(member, `${pointer}/${key}/${escapeSegment(name)}`);
  }
}

/** The schema that a local reference (`#` or `#/…`) names, or nothing. */
export function resolveLocalRef(root: SchemaNode, ref: string): SchemaNode | undefined {
  if (ref === "#") return root;
  if (!ref.startsWith("#/")) return undefined;
  let at: unknown = root;
  for (const segment of ref.slice(2).split("/")) {
    const name = unescapeSegment(segment);
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return isSchemaNode(at) ? at : undefined;
}

function escapeSegment(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescapeSegment(segment: string): string {
  let decoded = segment;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    // A stray "%" is no escape; the segment is taken as it is written.
  }
  return decoded.replaceAll("~1", "/").replaceAll("~0", "~");
}
