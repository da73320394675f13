import assert from "node:assert/strict";
import { compilePattern } from "../../../src/adapters/json-schema/patterns.ts";
import { isValid, refusal } from "./support.ts";

describe("patterns", () => {
  it("mean what they mean in ECMA-262 with the u flag", () => {
    const samples = [
      "",
      "a",
      "b",
      "ab",
      "A",
      "7",
      "_",
      "-",
      "/",
      ".",
      " ",
      "\t",
      "\u000b",
      "\u00a0",
      "\u2028",
      "\ufeff",
      "\n",
      "\r",
      "é",
      "α",
      "🦀",
      "[",
      "]",
      "^",
      "&",
      "~",
      "\b",
      "\u0000",
      "a\nb",
      "::",
      "aa",
      "٣",
    ];
    const patterns = [
      "^a$",
      "^.$",
      "^\\s$",
      "^\\S$",
      "^[\\s\\S]$",
      "^[^\\s]$",
      "^[\\s]$",
      "^\\d$",
      "^\\D$",
      "^[\\D]$",
      "^\\w$",
      "^[\\W]$",
      "\\bab\\b",
      "^\\u0061$",
      "^\\u{1F980}$",
      "^\\ud83e\\udd80$",
      "^[\\u{1F980}]$",
      "^\\p{L}$",
      "^\\p{Lu}$",
      "^\\p{Script=Greek}$",
      "^\\p{Letter}$",
      "^\\P{L}$",
      "^[\\p{L}\\d]$",
      "^[]$",
      "^[^]$",
      "^\\/$",
      "^[\\-]$",
      "^[[]$",
      "^[\\]]$",
      "^[a-c^]$",
      "^[\\^&~]$",
      "^[[:a]$",
      "^(?<x>a)b$",
      "^(?:a|b){2}$",
      "^a{1,2}$",
      "^\\cJ$",
      "^\\x41$",
      "^\\0$",
      "^[\\b]$",
      "^\\t$",
      "^\\v$",
      "^$",
      "b|^a",
      "^\\.$",
      "^a*?$",
      "^[.]$",
      "^[*-/]$",
    ];
    for (const pattern of patterns) {
      const expression = new RegExp(pattern, "u");
      const linear = compilePattern(pattern);
      for (const sample of samples) {
        const name = `${pattern} on ${JSON.stringify(sample)}`;
        assert.equal(isValid({ type: "string", pattern }, sample), expression.test(sample), name);
        // Of plain patterns only long texts reach the linear engine, where they must mean the same.
        assert.equal(linear.test(sample), expression.test(sample), name);
      }
    }
  });

  it("are kept apart from each other", () => {
    const schema = {
      properties: { a: { pattern: "^a" }, b: { pattern: "^b" } },
      patternProperties: { "^c": { pattern: "^c" } },
    };
    assert.ok(isValid(schema, { a: "a", b: "b", c: "c" }));
    for (const key of ["a", "b", "c"]) assert.ok(!isValid(schema, { [key]: "x" }), key);
  });

  it("are refused, with the pointer, where linear time is not possible or they are none", () => {
    const refused = [
      "(?=a)",
      "(?!a)",
      "(?<=a)b",
      "(?<!a)b",
      "(a)\\1",
      "(?<n>a)\\k<n>",
      "(?i:a)",
      "(",
      "a{1001}",
      "[b-a]",
      "\\a",
      "\\p{Nope}",
    ];
    for (const pattern of refused)
      assert.deepEqual(refusal({ items: { pattern } }), ["/items/pattern", "pattern"], pattern);
    assert.deepEqual(refusal({ patternProperties: { "a(": true } }), ["/patternProperties/a(", "pattern"]);
    assert.deepEqual(refusal({ patternProperties: { "(?=a/b)": true } }), ["/patternProperties/(?=a~1b)", "pattern"]);
  });
});
