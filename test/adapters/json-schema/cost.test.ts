import assert from "node:assert/strict";
import { check, isValid } from "./support.ts";

const self = { $ref: "#/$defs/n" };
const recursive = (n: unknown) => ({ ...self, $defs: { n } });
const list = { type: "array", items: self };
const child = { type: "object", properties: { k: self } };

function nestedList(levels: number, core: unknown): unknown {
  let value = core;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

function nestedObject(levels: number, core: unknown): unknown {
  let value = core;
  for (let level = 0; level < levels; level += 1) value = { k: value };
  return value;
}

/** 512 schemas that all look at the same value, without a reference. */
function crowd(keyword: string, leaf: unknown): unknown {
  let schema = leaf;
  for (let level = 0; level < 3; level += 1) schema = { [keyword]: Array.from({ length: 8 }, () => schema) };
  return schema;
}

/** Each is exponential in the depth of the value, or multiplies a large schema with a large value, if nothing counts. */
const hostile: Readonly<Record<string, readonly [schema: unknown, value: unknown]>> = {
  "anyOf of equal branches that fail": [recursive({ anyOf: [list, list, { type: "integer" }] }), nestedList(30, "x")],
  "anyOf in objects": [recursive({ anyOf: [child, child, { type: "integer" }] }), nestedObject(400, "x")],
  "oneOf of equal branches": [recursive({ oneOf: [list, list, { type: "integer" }] }), nestedList(400, "x")],
  "oneOf that matches deep down": [recursive({ oneOf: [list, list, { type: "integer" }] }), nestedList(400, 1)],
  "allOf of equal branches": [recursive({ allOf: [list, list] }), nestedList(400, [])],
  "a reference beside the same in a branch": [
    { ...self, $defs: { n: { properties: { k: self }, anyOf: [{ properties: { k: self } }] } } },
    nestedObject(400, {}),
  ],
  "not of not": [recursive({ not: { allOf: [{ not: list }, { not: list }] } }), nestedList(400, [])],
  "if and else": [recursive({ type: "array", if: { items: self }, else: { items: self } }), nestedList(400, [])],
  dependentSchemas: [
    recursive({ ...child, dependentSchemas: { k: { properties: { k: self } } } }),
    nestedObject(400, {}),
  ],
  unevaluatedProperties: [recursive({ anyOf: [child, child], unevaluatedProperties: false }), nestedObject(400, {})],
  "contains beside items": [recursive({ type: "array", items: self, contains: self }), nestedList(400, [[]])],
  "contains with errors for each item": [
    { contains: { $ref: "#/$defs/s" }, $defs: { s: { type: "string" } } },
    Array.from({ length: 300_000 }, () => 1),
  ],
  "patternProperties that share a property": [
    recursive({ type: "object", patternProperties: { "^k": self, k$: self } }),
    nestedObject(400, 1),
  ],
  "propertyNames in every branch": [
    crowd("anyOf", { propertyNames: { maxLength: 1 } }),
    Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, n])),
  ],
  "a crowd of branches for each item": [
    { items: crowd("anyOf", { type: "string" }) },
    Array.from({ length: 300_000 }, () => 1),
  ],
  "a crowd of errors for each item": [
    { items: crowd("allOf", { type: "string" }) },
    Array.from({ length: 9_000 }, () => 1),
  ],
  "a crowd of lengths of one string": [crowd("anyOf", { minLength: 600_000 }), "🦀".repeat(500_000)],
  "a crowd of loops over one list": [
    crowd("allOf", { items: { type: "integer" } }),
    Array.from({ length: 300_000 }, () => 1),
  ],
  "a crowd of comparisons with a list": [crowd("anyOf", { const: [1] }), Array.from({ length: 300_000 }, () => 1)],
  "lists compared again at every level": [
    recursive({ uniqueItems: true, items: self }),
    nestedList(
      500,
      Array.from({ length: 100_000 }, (_, n) => [n]),
    ),
  ],
  "properties that all are missing": [
    { items: { required: Array.from({ length: 5_000 }, (_, n) => `k${n}`) } },
    Array.from({ length: 9_000 }, () => ({})),
  ],
  "names of members of Object.prototype": [
    {
      unevaluatedProperties: { properties: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, {}])) },
    },
    Array.from({ length: 50_000 }, () => ({ toString: 1 })),
  ],
};

describe("values that would cost too much to check", () => {
  for (const [name, [schema, value]] of Object.entries(hostile)) {
    it(`end in few violations, or pass, in bounded time: ${name}`, () => {
      assert.ok(check(schema, value).length <= 8);
    });
  }

  it("are told as such, with the rule cost", () => {
    const [schema, value] = hostile["anyOf of equal branches that fail"] ?? [];
    assert.deepEqual(check(schema, value), [
      {
        path: "",
        rule: "cost",
        expected: "a value that can be checked in bounded time",
        got: "a value that costs too much to check",
      },
    ]);
  });

  it("end in a violation, not in a stack overflow, where references are long and the value deep", () => {
    const $defs: Record<string, unknown> = { a200: { items: { $ref: "#/$defs/a0" } } };
    for (let n = 0; n < 200; n += 1) $defs[`a${n}`] = { allOf: [{ $ref: `#/$defs/a${n + 1}` }] };
    assert.equal(check({ $ref: "#/$defs/a0", $defs }, nestedList(511, []))[0]?.rule, "cost");
  });
});

describe("values that are large and honest", () => {
  const row = { type: "object", required: ["id", "tag"], properties: { id: { type: "integer" }, tag: self } };
  const schema = {
    type: "array",
    items: { $ref: "#/$defs/row" },
    $defs: {
      row,
      n: { anyOf: [{ type: "null" }, { enum: ["a", "b"] }, { oneOf: [{ const: 1 }, { type: "array" }] }] },
    },
  };

  it("are checked to the end", () => {
    const rows = Array.from({ length: 30_000 }, (_, id) => ({ id, tag: [null, "a", 1, []][id % 4] }));
    assert.ok(isValid(schema, rows));
    const bad = check(schema, [...rows, { id: 1, tag: "c" }]);
    assert.deepEqual(
      bad.map(({ path, rule }) => [path, rule]),
      [["/30000/tag", "anyOf"]],
    );
  });

  it("may be trees of a recursive schema, however deep", () => {
    const tree = recursive({ anyOf: [{ type: "array", items: self }, { type: "integer" }] });
    assert.ok(isValid(tree, nestedList(500, 1)));
    assert.ok(!isValid(tree, nestedList(500, "x")));
  });

  it("find in a long list the item that is asked for", () => {
    const items = [...Array.from({ length: 100_000 }, () => 1), "x"];
    assert.ok(isValid({ contains: { $ref: "#/$defs/s" }, $defs: { s: { type: "string" } } }, items));
    assert.ok(!isValid({ contains: { type: "integer" }, maxContains: 3 }, items));
    assert.ok(isValid({ contains: { type: "string" }, minContains: 1, maxContains: 1 }, items));
    assert.ok(isValid({ contains: { type: "null" }, minContains: 0 }, items));
    assert.ok(!isValid({ contains: { type: "integer" }, minContains: 2 }, [1]));
  });

  it("count as evaluated what any matching branch names", () => {
    const union = (keyword: string) => ({
      [keyword]: [
        { properties: { a: { type: "integer" } }, required: ["a"] },
        { properties: { b: { type: "integer" } }, required: ["b"] },
      ],
      unevaluatedProperties: false,
    });
    assert.ok(isValid(union("anyOf"), { a: 1, b: 2 }));
    assert.ok(!isValid(union("anyOf"), { a: 1, c: 2 }));
    assert.ok(isValid(union("oneOf"), { b: 2 }));
    assert.ok(!isValid(union("oneOf"), { a: 1, b: 2 }));
    assert.ok(!isValid(union("oneOf"), { a: 1, c: 2 }));
  });
});
