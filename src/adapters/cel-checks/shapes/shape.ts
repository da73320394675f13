/** CEL's name of a type: "string", "double", "list", "map", "null_type", … */
export type Kind = string;

/** Most values of which each is known. */
export const MAX_VALUES = 1000;

/** A value without parts. */
export type Scalar = string | number | boolean | null;

/** What is known of a value before it is there. Everything that it says holds for every value that can come. */
export interface Shape {
  /** The types that it can have; absent where it can have any. */
  readonly kinds?: ReadonlySet<Kind>;
  /** The values that it can have, where these are few and known; numbers of all types as doubles. */
  readonly values?: readonly Scalar[];
  /** Whether the rule itself spells the value. */
  readonly isSpelled?: boolean;
  /** Names of the members that are declared. */
  readonly memberNames?: readonly string[];
  /** Of an item, where it is a list. */
  item(): Shape;
  /** Of a member, where it is a map; nothing where no map of this shape has or may mean to have it. */
  field(name: string): Field | undefined;
}

export interface Field {
  readonly shape: Shape;
  /** Whether the schema names it. One that is not named may still be asked for with `has`. */
  readonly isDeclared: boolean;
}

export const ANYTHING: Shape = { item: () => ANYTHING, field: () => ({ shape: ANYTHING, isDeclared: true }) };

/** A value of one of these types, of which nothing more is known. */
export function oneOf(...kinds: readonly Kind[]): Shape {
  return { ...ANYTHING, kinds: new Set(kinds) };
}

export const BOOL = oneOf("bool");
export const TEXT = oneOf("string");

/** The null of a rule: a comparison with it asks whether something is there. */
export const NULL: Shape = { ...oneOf("null_type"), values: [null] };

/** One value. */
export function constant(kind: Kind, value: Scalar): Shape {
  return { ...oneOf(kind), values: [value], isSpelled: true };
}

/** The shape of what no value has: the items of the empty list. */
export const NOTHING: Shape = { kinds: new Set(), item: () => NOTHING, field: () => undefined };

export function listOf(item: Shape): Shape {
  return { kinds: new Set(["list"]), item: () => item, field: () => undefined };
}

/** A map with these members and no others, any of which may be absent. */
export function mapOf(fields: Readonly<Record<string, Shape>>): Shape {
  const known = new Map(Object.entries(fields));
  return {
    kinds: new Set(["map"]),
    memberNames: [...known.keys()],
    item: () => NOTHING,
    field(name) {
      const shape = known.get(name);
      return shape && { shape, isDeclared: true };
    },
  };
}

/** A value of one of these shapes. */
export function union(given: readonly Shape[]): Shape {
  const shapes = [...new Set(given)];
  const [only, ...others] = shapes;
  if (!only) return NOTHING;
  return others.length === 0 ? only : new Union(shapes);
}

/**
 * Remembers what it was asked: shapes of shapes meet again in many ways, and looking through all of them anew would take
 * time that doubles with every loop of a rule.
 */
class Union implements Shape {
  readonly kinds?: ReadonlySet<Kind>;
  readonly values?: readonly Scalar[];
  readonly isSpelled: boolean;
  readonly memberNames: readonly string[];
  readonly #shapes: readonly Shape[];
  readonly #fields = new Map<string, Field | undefined>();
  #item: Shape | undefined;

  constructor(shapes: readonly Shape[]) {
    this.#shapes = shapes;
    const isOpen = shapes.some(({ kinds }) => kinds === undefined);
    if (!isOpen) this.kinds = new Set(shapes.flatMap(({ kinds }) => [...(kinds ?? [])]));
    const values = unionOf(shapes.map((shape) => shape.values));
    if (values) this.values = values;
    this.isSpelled = shapes.every((shape) => shape.isSpelled);
    this.memberNames = [...new Set(shapes.flatMap(({ memberNames = [] }) => memberNames))];
  }

  item(): Shape {
    this.#item ??= union(this.#shapes.filter((shape) => mayBe(shape, "list")).map((shape) => shape.item()));
    return this.#item;
  }

  field(name: string): Field | undefined {
    if (!this.#fields.has(name)) this.#fields.set(name, this.#findField(name));
    return this.#fields.get(name);
  }

  #findField(name: string): Field | undefined {
    const fields = this.#shapes.filter((shape) => mayBe(shape, "map")).flatMap((shape) => shape.field(name) ?? []);
    if (fields.length === 0) return undefined;
    return { shape: union(fields.map(({ shape }) => shape)), isDeclared: fields.some(({ isDeclared }) => isDeclared) };
  }
}

/** Unknown where one is unknown, or where there are too many to compare. */
function unionOf(lists: readonly (readonly Scalar[] | undefined)[]): readonly Scalar[] | undefined {
  const values = new Set<Scalar>();
  for (const list of lists) {
    if (!list || values.size + list.length > MAX_VALUES) return undefined;
    for (const value of list) values.add(value);
  }
  return [...values];
}

export function mayBe(shape: Shape, ...kinds: readonly Kind[]): boolean {
  return shape.kinds === undefined || kinds.some((kind) => shape.kinds?.has(kind));
}

const NAMES: Readonly<Record<Kind, string>> = {
  null_type: "null",
  string: "a text",
  bool: "a bool",
  double: "a number",
  int: "an int",
  uint: "a uint",
  list: "a list",
  map: "an object",
  bytes: "bytes",
  type: "a type",
};

/** "a text or null". */
export function shapeText({ kinds }: Shape): string {
  if (!kinds) return "a value of any type";
  return [...kinds].map((kind) => NAMES[kind] ?? kind).join(" or ") || "no value";
}
