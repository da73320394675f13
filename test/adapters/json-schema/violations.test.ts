import assert from "node:assert/strict";
import { check } from "./support.ts";

describe("violations", () => {
  it("name path, rule, what was expected and what was there, shallowest first", () => {
    const schema = {
      type: "object",
      required: ["total"],
      additionalProperties: false,
      properties: {
        total: {},
        lines: { type: "array", items: { properties: { qty: { type: "integer", minimum: 1 } } } },
      },
    };
    assert.deepEqual(check(schema, { lines: [{ qty: "2" }, { qty: 0 }], "a/b": 1 }), [
      { path: "", rule: "required", expected: 'property "total"', got: 'no property "total"' },
      {
        path: "/a~1b",
        rule: "additionalProperties",
        expected: 'no property but "total", "lines"',
        got: 'property "a/b"',
      },
      { path: "/lines/0/qty", rule: "type", expected: "integer", got: 'string "2"' },
      { path: "/lines/1/qty", rule: "minimum", expected: "a number >= 1", got: "number 0" },
    ]);
  });

  it("tell of a union what the branch that came nearest misses", () => {
    const schema = { anyOf: [{ type: "null" }, { type: "object", required: ["k"] }] };
    assert.deepEqual(check(schema, {}), [
      { path: "", rule: "required", expected: 'property "k"', got: 'no property "k"' },
    ]);
  });

  it("tell of a union the kinds it takes where no branch came near", () => {
    const schema = { properties: { v: { anyOf: [{ type: "null" }, { type: "string" }, { const: 7 }] } } };
    assert.deepEqual(check(schema, { v: [] }), [
      { path: "/v", rule: "anyOf", expected: "a value of one of these kinds: null, string, 7", got: "array" },
    ]);
  });

  it("tell when more than one branch of oneOf matches", () => {
    const schema = { oneOf: [{ type: "integer" }, { type: "number" }] };
    assert.equal(check(schema, 1)[0]?.got, "2 of them match");
  });

  it("are at most 8, with bounded words", () => {
    const schema = { items: { enum: ["x".repeat(1000)] } };
    const violations = check(
      schema,
      Array.from({ length: 100 }, (_, n) => "y".repeat(500 + n)),
    );
    assert.equal(violations.length, 8);
    for (const { expected, got } of violations) assert.ok(expected.length <= 200 && got.length <= 80);
  });

  it("are few even for a value with very many faults", () => {
    assert.equal(
      check(
        { items: { type: "string" } },
        Array.from({ length: 200_000 }, () => 1),
      ).length,
      1,
    );
  });

  it("describe every rule in words", () => {
    const cases: readonly [schema: unknown, value: unknown, expected: string, got: string][] = [
      [{ maxLength: 2 }, "abc", "at most 2 characters", "3 characters"],
      [{ minItems: 1 }, [], "at least 1 items", "0 items"],
      [{ const: 1 }, 2, "1", "number 2"],
      [{ enum: ["low", "high"] }, "mid", 'one of "low", "high"', 'string "mid"'],
      [{ pattern: "^a" }, "b", "text that matches ^a", 'string "b"'],
      [{ format: "date" }, "b", "text in the format date", 'string "b"'],
      [{ multipleOf: 5 }, 7, "a multiple of 5", "number 7"],
      [{ uniqueItems: true }, [1, 1], "items that all differ", "2 items"],
      [{ maxProperties: 0 }, { a: 1 }, "at most 0 properties", 'object with "a"'],
      [{ not: { type: "null" } }, null, "a value of another kind", "null"],
      [false, 1, "nothing here", "number 1"],
      [{ dependentRequired: { a: ["b"] } }, { a: 1 }, 'property "b", because "a" is there', 'no property "b"'],
      [{ contains: { type: "string" } }, [1], "1 or more items of the asked kind", "1 items"],
      [{ prefixItems: [true], items: false }, [1, 2], "at most 1 items", "2 items"],
    ];
    for (const [schema, value, expected, got] of cases) {
      const [violation] = check(schema, value);
      assert.deepEqual([violation?.expected, violation?.got], [expected, got], JSON.stringify(schema));
    }
  });
});
