/** A JSON Schema that is an object. */
export type SchemaNode = Readonly<Record<string, unknown>>;

/** How many schemas may still be looked at: a small one can refer to itself without end, or to a large one often. */
export interface Budget {
  left: number;
}

/** The smaller of upper limits and the larger of lower ones hold for both schemas. */
const LOWER_LIMITS = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
const UPPER_LIMITS = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];

export function isNode(value: unknown): value is SchemaNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The schema with its local references followed and its `allOf` merged in. Undefined for `false`, which no value
 * satisfies, and when the budget is spent.
 */
export function flatten(schema: unknown, root: unknown, budget: Budget): SchemaNode | undefined {
  budget.left -= 1;
  if (schema === false || budget.left < 0) return undefined;
  if (!isNode(schema)) return {};
  const { $ref, allOf, ...own } = schema;
  const others = [...(typeof $ref === "string" ? [lookUp($ref, root)] : []), ...listOf(allOf)];
  let merged: SchemaNode = own;
  for (const other of others) {
    const flat = flatten(other, root, budget);
    if (!flat) return undefined;
    merged = merge(merged, flat);
  }
  return merged;
}

/** A schema that asks for what both ask for, as far as that is simple. */
export function merge(a: SchemaNode, b: SchemaNode): SchemaNode {
  const merged: Record<string, unknown> = { ...b, ...a };
  for (const key of LOWER_LIMITS) both(a, b, key, (x, y) => (merged[key] = Math.max(x, y)));
  for (const key of UPPER_LIMITS) both(a, b, key, (x, y) => (merged[key] = Math.min(x, y)));
  if (a.required && b.required) merged.required = [...new Set([...listOf(b.required), ...listOf(a.required)])];
  if (a.enum && b.enum) merged.enum = commonValues(listOf(a.enum), listOf(b.enum));
  if (a.type && b.type) merged.type = commonTypes(typesOf(a), typesOf(b));
  if (a.items !== undefined && b.items !== undefined) merged.items = { allOf: [a.items, b.items] };
  if (isNode(a.properties) && isNode(b.properties)) merged.properties = mergeProperties(a.properties, b.properties);
  return merged;
}

/** The types a schema allows. Where it does not say: what its keywords are about, else text. */
export function typesOf(schema: SchemaNode): readonly string[] {
  if (typeof schema.type === "string") return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.filter((name) => typeof name === "string");
  if (["properties", "required", "additionalProperties"].some((key) => key in schema)) return ["object"];
  if (["items", "prefixItems", "minItems", "contains"].some((key) => key in schema)) return ["array"];
  if (["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].some((key) => key in schema)) {
    return ["number"];
  }
  return ["string"];
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function both(a: SchemaNode, b: SchemaNode, key: string, use: (x: number, y: number) => void): void {
  const x = numberOf(a[key]);
  const y = numberOf(b[key]);
  if (x !== undefined && y !== undefined) use(x, y);
}

function commonValues(a: readonly unknown[], b: readonly unknown[]): unknown[] {
  const others = new Set(b);
  return a.filter((value) => others.has(value));
}

function commonTypes(a: readonly string[], b: readonly string[]): string[] {
  const common = a.filter((type) => b.includes(type));
  const isInteger = (x: readonly string[], y: readonly string[]) => x.includes("integer") && y.includes("number");
  if (!common.includes("integer") && (isInteger(a, b) || isInteger(b, a))) common.push("integer");
  return common;
}

function mergeProperties(a: SchemaNode, b: SchemaNode): SchemaNode {
  const merged: Record<string, unknown> = { ...a };
  for (const [name, schema] of Object.entries(b)) {
    merged[name] = Object.hasOwn(a, name) ? { allOf: [a[name], schema] } : schema;
  }
  return merged;
}

/** References by anchor or by `$id` are not followed: they stand for anything, and the example may not hold. */
function lookUp(reference: string, root: unknown): unknown {
  let found = root;
  for (const part of decodeURIComponent(reference.replace(/^#\/?/, "")).split("/")) {
    if (part === "") continue;
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return true;
    found = Reflect.get(found, name);
  }
  return found;
}
