/** A JSON Schema as it was parsed. Anything but an object says nothing about the value. */
export type Schema = Readonly<Record<string, unknown>>;

/** So many schemas are merged into one at most; what a schema that refers to itself adds after that is left out. */
const MAX_MERGED = 64;

export function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema with its local `$ref` followed and its `allOf` merged in: enough to know which value it asks for. */
export function resolveSchema(schema: unknown, root: unknown, budget = { left: MAX_MERGED }): Schema {
  if (!isObject(schema) || budget.left-- <= 0) return {};
  const { $ref, allOf, ...rest } = schema;
  const parts = listOf(allOf);
  const bases = typeof $ref === "string" ? [lookUp($ref, root), ...parts] : parts;
  return bases.reduce<Schema>((merged, base) => merge(merged, resolveSchema(base, root, budget)), rest);
}

function merge(a: Schema, b: Schema): Schema {
  const required = [...listOf(a.required), ...listOf(b.required)];
  const properties = { ...propertiesOf(b), ...propertiesOf(a) };
  return {
    ...b,
    ...a,
    ...(required.length > 0 && { required }),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
}

function lookUp(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) return undefined;
  let found = root;
  for (const part of decodeURIComponent(reference.slice(1)).split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function propertiesOf(schema: Schema): Schema {
  return isObject(schema.properties) ? schema.properties : {};
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The types a schema allows. Where it does not say: what its keywords are about, else text. */
export function typesOf(schema: Schema): readonly string[] {
  const type = schema.type;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((name) => typeof name === "string");
  if ("properties" in schema || "required" in schema) return ["object"];
  if ("items" in schema || "prefixItems" in schema) return ["array"];
  if ("minimum" in schema || "maximum" in schema) return ["number"];
  return ["string"];
}

/** The branches of `anyOf` or `oneOf`, or none. */
export function branchesOf(schema: Schema): readonly unknown[] {
  return [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
}
