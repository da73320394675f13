import assert from "node:assert/strict";
import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { adaptSchema } from "../../../src/adapters/openai/request/adapt-schema.ts";
import { seeded } from "../../pipeline/parse/random.ts";
import { randomSchema } from "../../support/random-schema.ts";

const schemas = createJsonSchemas();
const closed = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const adapt = (schema: unknown) => adaptSchema(JSON.stringify(schema));
/** A closed object with one property of this schema. */
const holding = (a: unknown, rest: object = {}) => ({ ...closed, properties: { a }, ...rest });
const strictly = (schema: unknown) => {
  const { schemaText, strict } = adapt(schema);
  assert.equal(strict, true, JSON.stringify(schema));
  return JSON.parse(schemaText);
};

/** The keywords that the shortest list of a provider's strict mode holds. */
const STRICT =
  "type enum const title description required additionalProperties properties items anyOf $defs $ref".split(" ");

interface Strict extends Readonly<Record<string, unknown>> {
  readonly properties?: Readonly<Record<string, Strict>>;
  readonly $defs?: Readonly<Record<string, Strict>>;
  readonly anyOf?: readonly Strict[];
  readonly items?: Strict;
  readonly required?: readonly string[];
}

/** What a provider's strict mode checks, written down here once more. */
function assertStrict(schema: Strict): void {
  for (const keyword of Object.keys(schema)) assert.ok(STRICT.includes(keyword), keyword);
  if ("$ref" in schema) assert.equal(Object.keys(schema).length, 1);
  else assert.ok(schema.type !== undefined || schema.anyOf !== undefined, "a type or a union");
  const { properties = {}, $defs = {}, anyOf = [], items, required = [] } = schema;
  if (schema.type === "object") {
    assert.equal(schema.additionalProperties, false);
    assert.deepEqual([...required].sort(), Object.keys(properties).sort());
  }
  for (const inner of [...Object.values(properties), ...Object.values($defs), ...anyOf, ...(items ? [items] : [])]) {
    assertStrict(inner);
  }
}

describe("adapting a schema to the strict mode", () => {
  it("sends what fits as it is: the order of keys, escapes and all digits", () => {
    const text =
      '{"type":"object","properties":{"10":{"const":1.10},"2":{"enum":[1e2,12345678901234567890]},"\\u0061":{"type":["string","null"]}},"required":["2","10","a"],"additionalProperties":false}';
    const typed = text
      .replace('{"const":1.10}', '{"const":1.10,"type":"number"}')
      .replace("890]}", '890],"type":"integer"}');
    assert.deepEqual(adaptSchema(text), { schemaText: typed, strict: true });
    assert.deepEqual(adaptSchema(typed), { schemaText: typed, strict: true });
  });

  it("tells limits in the description and drops what says nothing about the answer", () => {
    const limited = { type: "string", description: "A code.", pattern: '^[A-Z"]{3}$', default: "X", examples: ["Y"] };
    assert.deepEqual(strictly({ $schema: "x", $id: "y", ...holding(limited) }).properties.a, {
      type: "string",
      description: 'A code. Must also satisfy {"pattern":"^[A-Z\\"]{3}$"}',
    });
    const list = { type: "array", items: { type: "number" }, minItems: 1, maxItems: 3 };
    assert.equal(strictly(holding(list)).properties.a.description, 'Must also satisfy {"minItems":1,"maxItems":3}');
  });

  it("closes objects that are neither open nor closed, everywhere", () => {
    const { additionalProperties: _, ...unsaid } = closed;
    const inside = { type: "array", items: { oneOf: [unsaid, { type: "null" }] } };
    const adapted = strictly({ ...unsaid, properties: { a: inside } });
    assert.equal(adapted.additionalProperties, false);
    assert.deepEqual(adapted.properties.a.items, { anyOf: [closed, { type: "null" }] });
    assertStrict(adapted);
  });

  it("says at the root what a reference there names, and nothing beside other references", () => {
    const node = holding({ anyOf: [{ $ref: "#/$defs/node", description: "Next." }, { type: "null" }] });
    const adapted = strictly({ $defs: { node }, $ref: "#/$defs/node", title: "List" });
    assert.deepEqual(Object.keys(adapted), [
      "type",
      "properties",
      "required",
      "additionalProperties",
      "$defs",
      "title",
    ]);
    assert.deepEqual(adapted.properties.a.anyOf[0], { $ref: "#/$defs/node" });
    const open = { $defs: { node: { type: "object" } }, $ref: "#/$defs/node" };
    assert.deepEqual(adapt(open), {
      schemaText: '{"type":"object","$defs":{"node":{"type":"object"}}}',
      strict: false,
    });
  });

  it("leaves a schema alone that closing or requiring would change, or that the mode has no words for", () => {
    let deep: object = closed;
    for (let level = 0; level < 11; level += 1) deep = holding(deep);
    const large = Object.fromEntries(Array.from({ length: 5_001 }, (_, index) => [`p${index}`, { type: "null" }]));
    const outside = [
      holding({ type: "string" }, { required: [] }),
      holding({ type: "string" }, { additionalProperties: true }),
      holding({ type: "string" }, { additionalProperties: { type: "string" } }),
      holding({ type: "string" }, { minProperties: 2 }),
      holding({ type: "string" }, { required: ["a", "b"] }),
      holding({ type: "object" }),
      holding({ type: ["object", "null"] }),
      holding({ type: "array" }),
      holding({ type: "array", prefixItems: [closed] }),
      holding({}),
      holding(true),
      holding({ minLength: 1 }),
      holding({ ...closed, anyOf: [{ ...closed, required: [] }, closed] }),
      holding({ enum: [["a"]] }),
      holding({ $ref: "#/properties/a/x" }),
      holding({ $ref: "#", required: ["b"] }),
      holding({ type: "string", enum: Array.from({ length: 1_001 }, (_, index) => `${index}`) }),
      holding({ type: "string", enum: Array.from({ length: 251 }, (_, index) => `${index}`.padEnd(60, "x")) }),
      { type: "array", items: closed },
      { anyOf: [closed] },
      { type: "object", anyOf: [closed] },
      { type: "object", $ref: "#/$defs/c", $defs: { c: closed } },
      { type: "object", properties: large, required: Object.keys(large) },
      { ...closed, patternProperties: { x: {} } },
      ...["allOf", "anyOf", "oneOf"].map((keyword) => ({ ...closed, [keyword]: [closed] })),
      { ...closed, if: {}, not: false },
      deep,
      true,
      null,
    ];
    for (const schema of outside) {
      assert.deepEqual(adapt(schema), { schemaText: JSON.stringify(schema), strict: false });
    }
  });

  it("accepts every value that the given schema accepts, whatever the schema", () => {
    let strict = 0;
    for (let seed = 1; seed <= 400; seed += 1) {
      const { schema, value } = randomSchema(seeded(seed));
      const text = JSON.stringify(schema);
      assert.deepEqual(schemas.compile(text).validate(value), [], `seed ${seed}`);
      const adapted = adaptSchema(text);
      assert.deepEqual(schemas.compile(adapted.schemaText).validate(value), [], `seed ${seed}: ${adapted.schemaText}`);
      if (!adapted.strict) continue;
      strict += 1;
      assertStrict(JSON.parse(adapted.schemaText));
      assert.deepEqual(adaptSchema(adapted.schemaText), adapted, `seed ${seed}: adapting twice changes nothing`);
    }
    assert.ok(strict > 150, `${strict} of 400 could be adapted`);
  });
});
