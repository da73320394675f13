import { pick } from "../pipeline/parse/random.ts";

type Random = () => number;
type Schema = Record<string, unknown>;

const maybe = (random: Random, share: number, part: Schema): Schema => (random() < share ? part : {});

/**
 * A random value, and a schema that accepts it: with limits that it keeps, optional properties, unions and references.
 * Objects are sometimes closed, and never hold a property that the schema does not name.
 */
export function randomSchema(random: Random): { readonly schema: Schema; readonly value: unknown } {
  const value = randomObject(random, 0);
  const defs: Schema = {};
  const schema = schemaFor(value, random, defs);
  return {
    schema: { ...maybe(random, 0.3, { $comment: "c" }), ...schema, ...(Object.keys(defs).length && { $defs: defs }) },
    value,
  };
}

function randomValue(random: Random, depth: number): unknown {
  const plain = ["string", "number", "integer", "boolean", "null", "date"] as const;
  switch (pick<string>(random, depth < 3 ? [...plain, "object", "array"] : plain)) {
    case "string":
      return pick(random, ["a", "Bergen", "quay 7", ""]);
    case "number":
      return Math.round(random() * 1000) / 10;
    case "integer":
      return Math.floor(random() * 50);
    case "boolean":
      return random() < 0.5;
    case "date":
      return "2024-10-17";
    case "object":
      return randomObject(random, depth + 1);
    case "array":
      return Array.from({ length: Math.floor(random() * 3) }, () => randomValue(random, depth + 1));
    default:
      return null;
  }
}

function randomObject(random: Random, depth: number): Schema {
  const names = ["zeta", "10", "2", "alpha", "lines"].filter(() => random() < 0.6);
  return Object.fromEntries((names.length ? names : ["only"]).map((name) => [name, randomValue(random, depth)]));
}

function schemaFor(value: unknown, random: Random, defs: Schema): Schema {
  const schema = {
    ...schemaOf(value, random, defs),
    ...maybe(random, 0.2, { description: "what it is", default: null }),
  };
  if (random() < 0.1) return { [random() < 0.5 ? "anyOf" : "oneOf"]: [schema, { type: "string", enum: ["never so"] }] };
  if (random() < 0.1) {
    const name = `d${Object.keys(defs).length}`;
    defs[name] = schema;
    return { $ref: `#/$defs/${name}`, ...maybe(random, 0.3, { description: "beside" }) };
  }
  return schema;
}

function schemaOf(value: unknown, random: Random, defs: Schema): Schema {
  if (Array.isArray(value)) {
    const items = value.map((item) => schemaFor(item, random, defs));
    return {
      type: "array",
      items: items.length ? { anyOf: items } : { type: "integer" },
      ...maybe(random, 0.3, { minItems: value.length, maxItems: value.length + 2 }),
    };
  }
  if (typeof value === "object" && value !== null) return objectSchema(value, random, defs);
  if (random() < 0.1) return { const: value };
  if (random() < 0.1) return { enum: [value, "another"] };
  if (typeof value === "string") return textSchema(value, random);
  if (typeof value === "number") {
    const type = Number.isInteger(value) && random() < 0.7 ? "integer" : "number";
    return { type, ...maybe(random, 0.3, { minimum: value - 1, exclusiveMaximum: value + 1 }) };
  }
  return value === null ? { type: pick<unknown>(random, [["string", "null"], "null"]) } : { type: "boolean" };
}

function textSchema(value: string, random: Random): Schema {
  return {
    type: "string",
    ...maybe(random, 0.3, { maxLength: value.length + 3, minLength: Math.min(1, value.length) }),
    ...(value.startsWith("2024") ? { format: "date" } : maybe(random, 0.3, { pattern: "^[A-Za-z0-9 ]*$" })),
  };
}

function objectSchema(value: object, random: Random, defs: Schema): Schema {
  const members = Object.entries(value);
  const properties = Object.fromEntries(members.map(([name, member]) => [name, schemaFor(member, random, defs)]));
  const isOpen = random() < 0.05;
  const optional = random() < 0.1 ? { rarely: { type: "string" } } : {};
  return {
    type: "object",
    properties: { ...properties, ...optional },
    required: members.map(([name]) => name),
    ...(isOpen ? { additionalProperties: true } : maybe(random, 0.5, { additionalProperties: false })),
  };
}
