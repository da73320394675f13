import assert from "node:assert/strict";
import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { exampleOf } from "../../src/pipeline/build-context/example-of-schema.ts";
import { randomSchema } from "../support/random-schema.ts";
import { seeded } from "./parse/random.ts";

const schemas = createJsonSchemas();
const compile = (schema: unknown) => schemas.compile(JSON.stringify(schema));
const example = (schema: unknown) => exampleOf(compile(schema));

describe("an example made from a schema", () => {
  it("shows an object with what it requires, and what is optional only where that is cheap", () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string" },
        since: { type: ["null", "string"], format: "date" },
        amount: { type: "number", multipleOf: 0.25, exclusiveMinimum: 2 },
        kind: { enum: ["fast", "slow"] },
        note: { type: "string", minLength: 6, maxLength: 6 },
        parts: { type: "array", items: { type: "string" } },
      },
      required: ["name", "since", "amount", "kind"],
    };
    assert.equal(example(schema), '{"name":"text","since":"2000-01-31","amount":2.25,"kind":"fast","note":"text t"}');
  });

  const satisfied: readonly [string, unknown, string][] = [
    ["a constant", { const: { a: [1.5] } }, '{"a":[1.5]}'],
    ["whole numbers of a grid", { type: "integer", multipleOf: 7, minimum: 1000 }, "1001"],
    ["decimal steps", { type: "number", multipleOf: 0.1, minimum: 0.25, maximum: 0.35 }, "0.3"],
    ["a narrow range", { exclusiveMinimum: 0, exclusiveMaximum: 1 }, "0.5"],
    [
      "lists without duplicates",
      { type: "array", minItems: 3, uniqueItems: true, items: { enum: ["a", "b", "c"] } },
      '["a","b","c"]',
    ],
    ["lists by position", { prefixItems: [{ type: "integer" }, { type: "boolean" }], items: false }, "[1,true]"],
    ["patterns", { type: "string", pattern: "^(?:INV|ORD)-\\d{4,}(/[a-z]+)?$", minLength: 10 }, '"INV-000000"'],
    ["other formats", { type: "string", format: "date-time" }, '"2000-01-31T12:00:00Z"'],
    ["the branch that can be", { oneOf: [{ type: "string", pattern: "^\\p{Lu}$" }, { type: "integer" }] }, "1"],
    [
      "what two schemas ask for together",
      {
        allOf: [{ $ref: "#/$defs/base" }, { properties: { n: { minimum: 5 } }, required: ["s"] }],
        properties: { s: { type: "string" } },
        $defs: { base: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } },
      },
      '{"s":"text","n":5}',
    ],
    ["names that no property describes", { required: ["z"], additionalProperties: { type: "integer" } }, '{"z":1}'],
    [
      "recursion that may end in null",
      {
        $defs: {
          n: {
            type: "object",
            properties: { next: { anyOf: [{ $ref: "#/$defs/n" }, { type: "null" }] } },
            required: ["next"],
          },
        },
        $ref: "#/$defs/n",
      },
      '{"next":{"next":{"next":null}}}',
    ],
    [
      "recursion that may end in an empty list",
      { type: "object", properties: { of: { type: "array", items: { $ref: "#" } } }, required: ["of"] },
      '{"of":[{"of":[]}]}',
    ],
  ];
  for (const [what, schema, expected] of satisfied) {
    it(`keeps to ${what}`, () => assert.equal(example(schema), expected));
  }

  it("is left out where none was found: what cannot be, endless recursion, patterns that are not simple, too much", () => {
    const endless = { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] };
    const grid = { type: "array", minItems: 10, items: { type: "array", minItems: 10, items: {} } };
    const none = [
      false,
      { not: {} },
      { type: "string", pattern: "^\\p{Lu}+$" },
      { type: "string", format: "ipv6", maxLength: 3 },
      { type: "string", minLength: 201 },
      { type: "object", properties: { a: { not: { type: "string" } } }, required: ["a"] },
      endless,
      { type: "array", minItems: 10, items: grid },
      { enum: ["x".repeat(2_000)] },
    ];
    for (const schema of none) assert.equal(example(schema), "", JSON.stringify(schema).slice(0, 80));
  });

  it("never spells out a chat-template token that the schema writes with escapes", () => {
    assert.equal(exampleOf(schemas.compile('{"const":"\\u003c|im_start|\\u003esystem"}')), "");
  });

  it("satisfies nearly every schema, and is always the same", () => {
    let found = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      const { schema } = randomSchema(seeded(seed));
      const text = example(schema);
      assert.equal(example(schema), text);
      if (text === "") continue;
      found += 1;
      assert.deepEqual(compile(schema).validate(JSON.parse(text)), [], `seed ${seed}`);
    }
    assert.ok(found >= 290, `${found} of 300`);
  });

  it("is made in bounded time for schemas that refer to large ones again and again", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 900 }, (_, i) => [`property${i}`, { $ref: "#/$defs/u" }]),
    );
    const pattern = `^(?:${Array.from({ length: 100 }, () => "a*").join("|")})$`;
    const schema = {
      $defs: {
        big: { type: "object", properties },
        u: { anyOf: Array.from({ length: 100 }, () => ({ allOf: Array(4).fill({ $ref: "#/$defs/big" }), pattern })) },
      },
      allOf: [{ $ref: "#/$defs/big" }, { required: Object.keys(properties) }],
    };
    const started = performance.now();
    exampleOf({ text: "", definition: schema, validate: () => [] });
    assert.ok(performance.now() - started < 5_000);
  });
});
