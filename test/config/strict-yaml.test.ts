import assert from "node:assert/strict";
import { parseStrictYaml, toYaml } from "../../src/adapters/strict-yaml.ts";

describe("parseStrictYaml", () => {
  const refused: readonly [behaviour: string, text: string, problems: readonly string[]][] = [
    [
      "duplicate keys",
      "a: 1\nb: {c: 1, c: 2}\na: 2",
      ["3:1 this key was given before", "2:11 this key was given before"],
    ],
    ["anchors", "a: &x 1", ["1:7 anchors and aliases are not supported; put a text that begins with * or & in quotes"]],
    ["aliases", "b: *x", ["1:4 anchors and aliases are not supported; put a text that begins with * or & in quotes"]],
    [
      "values that hold themselves",
      "a: &a [*a]",
      ["1:7 anchors and aliases are not supported; put a text that begins with * or & in quotes"],
    ],
    ["tags", "a: !!js/function x", ["1:4 tags are not supported; put a text that begins with ! in quotes"]],
    ["keys that are not text", "? [1]\n: 2", ["1:1 the keys of a mapping must be text"]],
    ["__proto__", "a: {__proto__: {b: 1}}", ["1:5 __proto__ is not a key"]],
    ["a second document", "a: 1\n---\nb: 1", ["2:1 a second document begins here; only one is read"]],
    ["tabs for indentation", "a:\n\tb: 1", ["2:1 is indented with a tab; use spaces"]],
    [
      "a missing bracket",
      "a: [1, 2",
      ["1:9 is not indented as the lines around it, or a closing bracket is missing before it"],
    ],
  ];
  for (const [behaviour, text, expected] of refused) {
    it(`refuses ${behaviour}, with line and column`, () => {
      const result = parseStrictYaml(text);
      assert.ok(!result.ok);
      assert.deepEqual(
        result.problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
        expected,
      );
    });
  }

  it("refuses an alias bomb without unfolding it", () => {
    const levels = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`);
    const result = parseStrictYaml(["a0: &a0 x", ...levels].join("\n"));
    assert.ok(!result.ok);
    assert.ok(result.problems.length <= 20);
  });

  it("refuses nesting that would exhaust the stack", () => {
    for (const depth of [33, 5_000, 200_000]) {
      assert.ok(!parseStrictYaml(`${"[".repeat(depth)}${"]".repeat(depth)}`).ok, String(depth));
    }
    assert.ok(parseStrictYaml(`${"[".repeat(32)}${"]".repeat(32)}`).ok);
  });

  it("takes words of older YAML versions as text, and an empty text as null", () => {
    assert.deepEqual(parseStrictYaml("a: yes\nb: 012\nc: 1_000"), { ok: true, value: { a: "yes", b: 12, c: "1_000" } });
    assert.deepEqual(parseStrictYaml(""), { ok: true, value: null });
  });

  it("reads tens of thousands of keys in one pass", () => {
    const text = Array.from({ length: 40_000 }, (_, n) => `k${n}: 1`).join("\n");
    assert.ok(parseStrictYaml(text).ok);
  });
});

describe("toYaml", () => {
  it("writes what parseStrictYaml reads back", () => {
    const value = { a: ["1", 1, "yes", "*x", "# y", ""], b: { c: "two\nlines", d: null } };
    assert.deepEqual(parseStrictYaml(toYaml(value)), { ok: true, value });
  });
});
