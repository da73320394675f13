import { exampleNumber } from "./example-number.ts";
import { exampleText } from "./example-text.ts";
import { type Budget, flatten, isNode, listOf, merge, numberOf, type SchemaNode, typesOf } from "./schema-node.ts";

const MAX_DEPTH = 8;
/** Below this, recursion is ended where it may be: null before other branches, nothing that is optional. */
const DEEP = 3;
const MAX_SCHEMAS = 200;
const MAX_ITEMS = 10;

/** How an example is made; several are tried until one satisfies the schema. */
export interface ExampleStyle {
  /** Which branch of each union is taken, counted round. */
  readonly branch: number;
  /** Whether optional properties that hold one plain value are shown, and one item of lists that may be empty. */
  readonly isGenerous: boolean;
}

/** No value was found. */
class NoExample extends Error {}

interface Writer {
  readonly root: unknown;
  readonly style: ExampleStyle;
  readonly budget: Budget;
}

/** A value that a schema should accept; undefined where none was found. It is not validated here. */
export function exampleValue(definition: unknown, style: ExampleStyle): unknown {
  try {
    return valueFor({ root: definition, style, budget: { left: MAX_SCHEMAS } }, definition, 0, 0);
  } catch (error) {
    if (error instanceof NoExample) return undefined;
    throw error;
  }
}

/** @param ordinal values with different ones should differ. */
function valueFor(writer: Writer, given: unknown, depth: number, ordinal: number): unknown {
  const schema = depth > MAX_DEPTH ? undefined : flattened(writer, given);
  if (!schema) throw new NoExample();
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return choiceOf(schema, ordinal);
  const { anyOf, oneOf, ...rest } = schema;
  const branches = listOf(anyOf ?? oneOf);
  if (branches.length > 0) return valueForUnion(writer, rest, branches, depth, ordinal);
  // A value shows more than null does.
  const types = typesOf(schema);
  return valueOfType(writer, types.find((type) => type !== "null") ?? types[0] ?? "", schema, depth, ordinal);
}

/** The first branch, counted from that of the style, for which there is a value. */
function valueForUnion(
  writer: Writer,
  rest: SchemaNode,
  branches: readonly unknown[],
  depth: number,
  ordinal: number,
): unknown {
  const start = writer.style.branch % branches.length;
  const turned = [...branches.slice(start), ...branches.slice(0, start)];
  if (depth > DEEP) turned.sort((a, b) => Number(isNull(b)) - Number(isNull(a)));
  for (const given of turned) {
    const branch = flattened(writer, given);
    const value = branch && optional(() => valueFor(writer, merge(rest, branch), depth + 1, ordinal));
    if (value !== undefined) return value;
  }
  throw new NoExample();
}

function isNull(schema: unknown): boolean {
  return isNode(schema) && (schema.type === "null" || schema.const === null);
}

function flattened({ root, budget }: Writer, schema: unknown): SchemaNode | undefined {
  return flatten(schema, root, budget);
}

function choiceOf(schema: SchemaNode, ordinal: number): unknown {
  const types = schema.type === undefined ? undefined : typesOf(schema);
  const choices = listOf(schema.enum).filter((choice) => !types || types.some((type) => isOfType(choice, type)));
  if (ordinal >= choices.length) throw new NoExample();
  return choices[ordinal];
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isNode(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function valueOfType(writer: Writer, type: string, schema: SchemaNode, depth: number, ordinal: number): unknown {
  switch (type) {
    case "object":
      return objectFor(writer, schema, depth, ordinal);
    case "array":
      return listFor(writer, schema, depth);
    case "integer":
    case "number":
      return found(exampleNumber(schema, type === "integer", ordinal));
    case "boolean":
      return ordinal % 2 === 0;
    case "null":
      return null;
    case "string":
      return found(exampleText(schema, ordinal));
    default:
      throw new NoExample();
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new NoExample();
  return value;
}

function objectFor(writer: Writer, schema: SchemaNode, depth: number, ordinal: number): SchemaNode {
  const properties = isNode(schema.properties) ? schema.properties : {};
  const required = new Set(listOf(schema.required).filter((name) => typeof name === "string"));
  const example: Record<string, unknown> = Object.create(null);
  for (const [name, property] of Object.entries(properties)) {
    if (required.has(name)) example[name] = valueFor(writer, property, depth + 1, ordinal);
    else if (isGenerous(writer, depth) && isPlain(writer, property)) {
      const value = optional(() => valueFor(writer, property, depth + 1, ordinal));
      if (value !== undefined) example[name] = value;
    }
  }
  const rest = schema.additionalProperties ?? true;
  for (const name of required) {
    if (!Object.hasOwn(properties, name)) example[name] = valueFor(writer, rest, depth + 1, ordinal);
  }
  return example;
}

function listFor(writer: Writer, schema: SchemaNode, depth: number): unknown[] {
  const prefix = listOf(schema.prefixItems);
  const items = schema.items ?? true;
  const least = numberOf(schema.minItems) ?? 0;
  const most = Math.min(numberOf(schema.maxItems) ?? MAX_ITEMS, items === false ? prefix.length : MAX_ITEMS);
  if (least > most) throw new NoExample();
  const wanted = isGenerous(writer, depth) ? Math.min(Math.max(least, prefix.length, 1), most) : least;
  const example: unknown[] = [];
  for (let i = 0; i < wanted; i += 1) {
    const item = () => valueFor(writer, prefix[i] ?? items, depth + 1, schema.uniqueItems === true ? i : 0);
    if (i < least) example.push(item());
    else {
      const value = optional(item);
      if (value === undefined) break;
      example.push(value);
    }
  }
  return example;
}

function isGenerous({ style }: Writer, depth: number): boolean {
  return style.isGenerous && depth < DEEP;
}

/** What need not be there is left out where no value was found, as at the end of a recursion. */
function optional(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    if (error instanceof NoExample) return undefined;
    throw error;
  }
}

/** Whether a property holds text, a number, true or false: cheap to show. */
function isPlain(writer: Writer, property: unknown): boolean {
  const schema = flattened(writer, property);
  if (!schema || schema.anyOf !== undefined || schema.oneOf !== undefined) return false;
  return !typesOf(schema).some((type) => type === "object" || type === "array");
}
