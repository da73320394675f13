import assert from "node:assert/strict";
import { check, isValid } from "./support.ts";

describe("validation", () => {
  it("looks at own properties only", () => {
    assert.ok(!isValid({ required: ["toString"] }, {}));
    assert.ok(!isValid({ required: ["constructor"] }, { driver: "Lind" }));
    assert.ok(!isValid({ required: ["__proto__"] }, {}));
    assert.ok(!isValid({ properties: { a: true }, additionalProperties: false }, { toString: 1 }));
    assert.ok(isValid({ properties: { constructor: { type: "string" } } }, {}));
    assert.ok(
      !isValid(
        { anyOf: [{ properties: { a: true }, required: ["a"] }, true], unevaluatedProperties: false },
        { a: 1, valueOf: 2 },
      ),
    );
  });

  it("neither coerces nor fills in defaults nor drops keys", () => {
    const value = { n: "1", extra: true };
    const schema = { properties: { n: { type: "integer" }, d: { default: 5 } }, additionalProperties: false };
    assert.equal(check(schema, value).length, 2);
    assert.deepEqual(value, { n: "1", extra: true });
    assert.ok(!isValid({ type: "array" }, "x"));
    assert.ok(!isValid({ enum: ["low"] }, "Low"));
  });

  it("takes numbers for the decimals they were written as", () => {
    assert.ok(isValid({ multipleOf: 0.1 }, 0.3));
    assert.ok(isValid({ multipleOf: 0.01 }, 19.99));
    assert.ok(!isValid({ multipleOf: 0.1 }, 0.35));
    assert.ok(isValid({ multipleOf: 0.0001 }, 0.0075));
    assert.ok(!isValid({ multipleOf: 0.123456789 }, 1e308));
    assert.ok(isValid({ multipleOf: 0.5 }, 1e308));
    assert.ok(isValid({ type: "integer", multipleOf: 1 }, 2 ** 60));
    assert.ok(!isValid({ multipleOf: 2 }, 2 ** 60), "beyond 2^53 the text may have held an odd number");
    assert.ok(isValid({ enum: [1, 2] }, 2.0));
  });

  it("compares values by content, whatever their keys are called", () => {
    assert.ok(isValid({ const: { valueOf: 1, a: [2] } }, { a: [2], valueOf: 1 }));
    assert.ok(!isValid({ enum: [{ a: 1 }] }, { valueOf: 1 }));
    assert.ok(!isValid({ uniqueItems: true, items: { type: "string" } }, ["__proto__", "__proto__"]));
    assert.ok(isValid({ uniqueItems: true }, [1, "1", true, "true", [1], { a: 1 }, { a: 2 }]));
    assert.ok(
      !isValid({ uniqueItems: true }, [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ]),
    );
  });

  it("counts characters, not halves of them", () => {
    assert.ok(!isValid({ minLength: 2 }, "🦀"));
    assert.ok(isValid({ maxLength: 1 }, "🦀"));
  });

  it("asserts formats", () => {
    const cases: readonly [format: string, good: string, bad: string][] = [
      ["date", "2024-02-29", "2023-02-29"],
      ["date-time", "2026-01-01T10:00:00.5Z", "2026-01-01 10:00:00+0100"],
      ["time", "10:00:00+01:00", "24:00:00Z"],
      ["duration", "P1DT2H", "1 day"],
      ["email", "a@example.com", "a@"],
      ["uri", "https://example.com/a?b", "/a"],
      ["uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
      ["ipv4", "127.0.0.1", "127.0.0.256"],
      ["hostname", "example.com", "-a"],
    ];
    for (const [format, good, bad] of cases) {
      assert.ok(isValid({ format }, good), `${format} ${good}`);
      assert.ok(!isValid({ format }, bad), `${format} ${bad}`);
    }
    assert.ok(!isValid({ type: "integer", format: "int32" }, 2 ** 31));
  });

  it("follows references inside the document: the root, pointers, anchors, the document's own id", () => {
    const tree = { type: "object", properties: { next: { $ref: "#" } }, additionalProperties: false };
    assert.ok(isValid(tree, { next: { next: {} } }));
    assert.ok(!isValid(tree, { next: { next: { x: 1 } } }));
    assert.ok(!isValid({ $defs: { "a/b c": { type: "string" } }, $ref: "#/$defs/a~1b%20c" }, 1));
    assert.ok(!isValid({ $defs: { s: { $anchor: "text", type: "string" } }, items: { $ref: "#text" } }, [1]));
    assert.ok(
      !isValid(
        { $id: "https://x.example/s", $defs: { s: { type: "string" } }, $ref: "https://x.example/s#/$defs/s" },
        1,
      ),
    );
    assert.ok(!isValid({ properties: { a: { type: "string" }, b: { $ref: "#/properties/a" } } }, { b: 1 }));
  });

  it("never mixes up two schemas that give the same id or the same names", () => {
    const one = { $id: "https://x.example/s", $defs: { v: { type: "string" } }, $ref: "#/$defs/v" };
    const two = { $id: "https://x.example/s", $defs: { v: { type: "number" } }, $ref: "#/$defs/v" };
    assert.ok(isValid(one, "a") && isValid(two, 1) && !isValid(one, 1) && !isValid(two, "a"));
  });
});

describe("hostile values and schemas", () => {
  it("end in a violation where the value is deeper than 512 levels", () => {
    let value: unknown = "end";
    for (let level = 0; level < 100_000; level += 1) value = { k: value };
    const schema = { $defs: { n: { additionalProperties: { $ref: "#/$defs/n" } } }, $ref: "#/$defs/n" };
    assert.deepEqual(check(schema, value), [
      { path: "", rule: "depth", expected: "at most 512 levels", got: "more levels" },
    ]);
  });

  it("end in a violation where references multiply without end", () => {
    const $defs: Record<string, unknown> = { a40: { type: "number" } };
    for (let n = 0; n < 40; n += 1)
      $defs[`a${n}`] = { allOf: [{ $ref: `#/$defs/a${n + 1}` }, { $ref: `#/$defs/a${n + 1}` }] };
    assert.equal(check({ $defs, $ref: "#/$defs/a0" }, 1)[0]?.rule, "cost");
  });

  it("end in a violation where a large schema meets a large value", () => {
    const required = Array.from({ length: 5000 }, (_, n) => `k${n}`);
    const value = Array.from({ length: 50_000 }, () => ({}));
    assert.ok(
      check(
        {
          items: {
            minProperties: 0,
            properties: Object.fromEntries(required.slice(0, 2000).map((k) => [k, true])),
            anyOf: [{ required }, true],
          },
        },
        value,
      ).length <= 8,
    );
  });

  it("compare long lists without comparing every pair", () => {
    const items = Array.from({ length: 100_000 }, (_, n) => ({ n }));
    assert.ok(isValid({ uniqueItems: true }, items));
  });

  it("match patterns that would blow up a backtracking engine", () => {
    assert.ok(!isValid({ pattern: "^(a+)+$" }, `${"a".repeat(100_000)}!`));
    assert.ok(!isValid({ patternProperties: { "^(a|a)*$": false } }, { ["a".repeat(10_000)]: 1 }));
  });
});
