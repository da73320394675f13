import { type Facts, factsOf, type JsonKind } from "./schema-facts.ts";
import type { SchemaNode } from "./schema-nodes.ts";

export type { JsonKind } from "./schema-facts.ts";

/**
 * What a schema says about the form of the values it accepts: their kinds, their named members, their items. References
 * are followed and `allOf`, `anyOf`, `oneOf` and conditions merged, so that a template can be checked against it and
 * absent members be filled in. It may promise less than the schema, never more. Computed when asked for, since schemas
 * may be recursive.
 */
export class Shape {
  readonly #root: SchemaNode;
  readonly #known: WeakMap<SchemaNode, Shape>;
  readonly #facts: Facts;

  private constructor(root: SchemaNode, node: SchemaNode, known: WeakMap<SchemaNode, Shape>) {
    this.#root = root;
    this.#known = known;
    this.#facts = factsOf(root, node, new Set());
  }

  /** The shape of the values of a whole schema. */
  static of(root: SchemaNode): Shape {
    return new Shape(root, root, new WeakMap());
  }

  /** The kinds of value that may occur. */
  get kinds(): ReadonlySet<JsonKind> {
    return this.#facts.kinds;
  }

  /** The JSON texts of the only values that may occur; nothing where there is no such list. */
  get values(): ReadonlySet<string> | undefined {
    return this.#facts.values;
  }

  /** Limits that every value keeps, by keyword, such as `maxLength`. */
  get limits(): ReadonlyMap<string, number | string> {
    return this.#facts.limits;
  }

  get memberNames(): readonly string[] {
    return [...this.#facts.members.keys()];
  }

  /** A named member, and whether every accepted object has it. */
  member(name: string): { readonly shape: Shape; readonly isRequired: boolean } | undefined {
    const node = this.#facts.members.get(name);
    return node && { shape: this.#shapeOf(node), isRequired: this.#facts.required.has(name) };
  }

  /** The items of an array, or the values of an object that is a map. */
  get items(): Shape {
    return this.#shapeOf(this.#facts.items);
  }

  #shapeOf(node: SchemaNode): Shape {
    let shape = this.#known.get(node);
    if (!shape) {
      shape = new Shape(this.#root, node, this.#known);
      this.#known.set(node, shape);
    }
    return shape;
  }
}
