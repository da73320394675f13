import { ANYTHING, type Field, type Kind, MAX_VALUES, oneOf, type Scalar, type Shape, union } from "./shape.ts";

type SchemaNode = Readonly<Record<string, unknown>>;

const KINDS_OF_TYPES: Readonly<Record<string, Kind>> = {
  null: "null_type",
  boolean: "bool",
  integer: "double",
  number: "double",
  string: "string",
  array: "list",
  object: "map",
};

/** Keywords beside `properties` that may bring in members of other names. */
const NAMING_KEYWORDS = [
  "$ref",
  "$dynamicRef",
  "allOf",
  "anyOf",
  "oneOf",
  "if",
  "then",
  "else",
  "dependentSchemas",
  "patternProperties",
  "unevaluatedProperties",
];

/**
 * The shape of the values that a JSON Schema accepts. Keywords only ever narrow, so what a node says of itself holds
 * whatever stands beside it; what would take more than one look to understand (`allOf`, `not`, conditions) is left open
 * rather than guessed.
 * @param text a schema that has been compiled.
 */
export function shapeOfSchema(text: string): Shape {
  const root: unknown = JSON.parse(text);
  return new SchemaShapes(root).of(root);
}

class SchemaShapes {
  readonly #root: unknown;
  readonly #known = new Map<SchemaNode, Shape>();

  constructor(root: unknown) {
    this.#root = root;
  }

  of(schema: unknown): Shape {
    if (!isNode(schema)) return ANYTHING;
    const known = this.#known.get(schema);
    if (known) return known;
    // A schema that leads back to itself before it says anything says nothing.
    this.#known.set(schema, ANYTHING);
    const shape = this.#read(schema);
    this.#known.set(schema, shape);
    return shape;
  }

  #read(node: SchemaNode): Shape {
    const kinds = kindsOf(node);
    if (!kinds && !isNode(node.properties)) {
      if (typeof node.$ref === "string") return this.of(this.#resolve(node.$ref));
      const branches = node.anyOf ?? node.oneOf;
      if (Array.isArray(branches)) return union(branches.map((branch: unknown) => this.of(branch)));
    }
    const values = valuesOf(node, kinds);
    return {
      ...(kinds && { kinds }),
      ...(values && { values }),
      memberNames: isNode(node.properties) ? Object.keys(node.properties) : [],
      item: () => (node.prefixItems === undefined ? this.of(node.items) : ANYTHING),
      field: (name) => this.#field(node, name),
    };
  }

  #field(node: SchemaNode, name: string): Field | undefined {
    const properties = isNode(node.properties) ? node.properties : {};
    if (Object.hasOwn(properties, name)) return { shape: this.of(properties[name]), isDeclared: true };
    const others = node.additionalProperties;
    if (others === false && node.patternProperties === undefined) return undefined;
    const isSilent = others === undefined && node.properties !== undefined;
    const namesAll = isSilent && !NAMING_KEYWORDS.some((keyword) => node[keyword] !== undefined);
    return { shape: node.patternProperties === undefined ? this.of(others) : ANYTHING, isDeclared: !namesAll };
  }

  /** References are local, or the schema would not have been compiled; by anchor or through arrays they are not followed. */
  #resolve(reference: string): unknown {
    if (!reference.startsWith("#")) return undefined;
    let at: unknown = this.#root;
    for (const segment of reference.split("/").slice(1)) {
      const key = decode(segment).replaceAll("~1", "/").replaceAll("~0", "~");
      at = isNode(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    }
    return reference === "#" || reference.startsWith("#/") ? at : undefined;
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function kindsOf(node: SchemaNode): ReadonlySet<Kind> | undefined {
  if (node.const !== undefined) return oneOf(kindOfValue(node.const)).kinds;
  const types = typeof node.type === "string" ? [node.type] : node.type;
  const byType = Array.isArray(types)
    ? new Set(types.flatMap((type: unknown) => (typeof type === "string" ? (KINDS_OF_TYPES[type] ?? []) : [])))
    : undefined;
  if (!Array.isArray(node.enum)) return byType;
  const byValue = node.enum.map(kindOfValue);
  return new Set(byType ? byValue.filter((kind) => byType.has(kind)) : byValue);
}

/** Where they are few, and all of them without parts. */
function valuesOf(node: SchemaNode, kinds: ReadonlySet<Kind> | undefined): readonly Scalar[] | undefined {
  const listed = node.const === undefined ? node.enum : [node.const];
  if (Array.isArray(listed)) {
    const fitting = listed.filter((value: unknown) => kinds?.has(kindOfValue(value)));
    return fitting.length <= MAX_VALUES && fitting.every(isScalar) ? fitting : undefined;
  }
  return kinds?.size === 1 && kinds.has("null_type") ? [null] : undefined;
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function kindOfValue(value: unknown): Kind {
  if (value === null) return "null_type";
  if (Array.isArray(value)) return "list";
  const kinds: Readonly<Record<string, Kind>> = { string: "string", number: "double", boolean: "bool" };
  return kinds[typeof value] ?? "map";
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
