import assert from "node:assert/strict";
import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { InvalidSchemaError } from "../../../src/core/json-schema.ts";
import { refusal } from "./support.ts";

/** A schema of so many levels, the innermost one empty. */
function nested(levels: number): unknown {
  let schema: unknown = {};
  for (let level = 1; level < levels; level += 1) schema = { items: schema };
  return schema;
}

function text(bytes: number): string {
  const frame = '{"description":""}';
  return frame.replace('""', `"${"x".repeat(bytes - frame.length)}"`);
}

describe("schemas that are refused", () => {
  const cases: readonly [name: string, schema: unknown, pointer: string, rule: string][] = [
    ["no JSON", "{", "", "json"],
    ["neither object nor boolean", "[]", "", "schema"],
    ["a key twice", '{"type":"string","\\u0074ype":"number"}', "/type", "duplicate_key"],
    ["__proto__", '{"properties":{"__proto__":true}}', "/properties/__proto__", "key"],
    ["a number that a double cannot hold", '{"enum":[1,9007199254740993]}', "/enum/1", "number"],
    ["an unknown keyword", { properties: { a: { typ: "string" } } }, "/properties/a/typ", "unknown_keyword"],
    ["a keyword of another draft", { additionalItems: false }, "/additionalItems", "unknown_keyword"],
    ["a keyword of OpenAPI", { nullable: true }, "/nullable", "unknown_keyword"],
    ["another dialect", { $schema: "http://json-schema.org/draft-07/schema#" }, "/$schema", "$schema"],
    ["an unknown type", { type: "int" }, "/type", "type"],
    ["an unknown format", { format: "phone" }, "/format", "format"],
    ["items as a list", { items: [{}] }, "/items", "items"],
    ["a limit that is none", { minLength: -1 }, "/minLength", "minLength"],
    ["required that is no list", { required: true }, "/required", "required"],
    ["an empty union", { anyOf: [] }, "/anyOf", "anyOf"],
    ["a property that is no schema", { properties: { a: "string" } }, "/properties/a", "schema"],
    ["a reference to another document", { $ref: "https://x.example/s" }, "/$ref", "$ref"],
    ["a reference to a file", { items: { $ref: "other.json#/a" } }, "/items/$ref", "$ref"],
    ["a reference to nothing", { $ref: "#/$defs/a" }, "/$ref", "$ref"],
    ["a reference into a value that is no schema", { enum: [{}], items: { $ref: "#/enum/0" } }, "/items/$ref", "$ref"],
    ["a reference that only leads to itself", { $ref: "#" }, "/$ref", "$ref"],
    [
      "references that only lead to each other",
      { $defs: { a: { anyOf: [{ $ref: "#/$defs/b" }] }, b: { $ref: "#/$defs/a" } } },
      "/$defs/a/anyOf/0/$ref",
      "$ref",
    ],
    ["an id below the root", { items: { $id: "x" } }, "/items/$id", "$id"],
    ["an anchor twice", { items: { $anchor: "a" }, not: { $anchor: "a" } }, "/not/$anchor", "$anchor"],
    ["33 levels of schemas", nested(33), `${"/items".repeat(32)}`, "depth"],
    ["more than 128 schemas in a list", { oneOf: Array.from({ length: 129 }, () => true) }, "/oneOf", "size"],
    [
      "more than 4096 schemas",
      { $defs: Object.fromEntries(Array.from({ length: 4096 }, (_, index) => [`d${index}`, true])) },
      "/$defs/d4095",
      "size",
    ],
    ["65,537 bytes", text(65_537), "", "size"],
    ["what ajv would judge wrongly", { unevaluatedItems: false }, "/unevaluatedItems", "unknown_keyword"],
    [
      "what ajv would judge wrongly together",
      { if: {}, unevaluatedProperties: false },
      "/unevaluatedProperties",
      "unevaluatedProperties",
    ],
  ];

  for (const [name, schema, pointer, rule] of cases) {
    it(`for ${name} name the place and the rule`, () => assert.deepEqual(refusal(schema), [pointer, rule]));
  }

  it("do not include those at the limits", () => {
    assert.equal(refusal(nested(32)), undefined);
    assert.equal(refusal(text(65_536)), undefined);
    assert.equal(
      refusal({ $schema: "https://json-schema.org/draft/2020-12/schema", title: "t", examples: [1] }),
      undefined,
    );
  });

  it("say which keyword was probably meant", () => {
    assert.throws(
      () => createJsonSchemas().compile('{"min_length":1}'),
      (error) => error instanceof InvalidSchemaError && error.message.includes("minLength"),
    );
  });
});

describe("compiled schemas", () => {
  it("are kept by their text, bounded in number", () => {
    const schemas = createJsonSchemas();
    const first = schemas.compile('{"minLength":0}');
    assert.equal(schemas.compile('{"minLength":0}'), first);
    assert.notEqual(schemas.compile('{ "minLength":0}'), first);
    for (let n = 1; n <= 300; n += 1) schemas.compile(`{"minLength":${n}}`);
    assert.notEqual(schemas.compile('{"minLength":0}'), first);
  });

  it("give the schema as it was, frozen all the way down", () => {
    const text = '{"type":"object","properties":{"a":{"enum":[{"b":1}]}}}';
    const { definition, text: given } = createJsonSchemas().compile(text);
    assert.equal(given, text);
    assert.deepEqual(definition, JSON.parse(text));
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    assert.ok(frozen(definition));
  });
});
