import assert from "node:assert/strict";
import { compilePattern } from "../../../src/adapters/json-schema/patterns.ts";
import { isPlainPattern } from "../../../src/adapters/json-schema/plain-pattern.ts";

describe("plain patterns", () => {
  it("are single characters in a row, with one loop at most, and that only where the start is fixed", () => {
    const plain = [
      "",
      "abc",
      "^[A-Z]{2}-[0-9]+$",
      "^\\d{4}-\\d{2}-\\d{2}$",
      "^[a-z-]{1,40}$",
      "#[\\da-f]{6}",
      "^-?.\\.$",
    ];
    for (const pattern of plain) assert.ok(isPlainPattern(pattern), pattern);
  });

  it("are not those that a backtracking engine may take long for, nor those that it is not known of", () => {
    const loops = ["a+b", "^a*b*$", "^a?a?aa$", "^(a+)+$", "^(a|b)*c", "^a{1,2}b{1,2}", "^a+?b+$", "^a{65}", "^a{999}"];
    const unknown = ["a|b", "(?:a)", "\\bfoo", "\\p{L}", "^\\u0041$", "\\cA", "(a)\\1", "a{2}{3}", "[", "a{", "]", "*"];
    for (const pattern of [...loops, ...unknown]) assert.ok(!isPlainPattern(pattern), pattern);
  });

  it("mean the same to both engines", () => {
    const pieces = ["a", "-", "[a-c]", "[^a]", "[\\w-]", ".", "\\d", "\\s", "\\.", "é", "🛳"];
    const times = ["", "", "", "{2}", "{1,2}", "*", "+", "?"];
    const samples = ["", "a", "aa", "ab-", "b1.", "🛳", "é 🛳", "a\n", "c-c-", "\u2028", "11 ", "_a"];
    let compared = 0;
    for (const first of pieces) {
      for (const [index, second] of pieces.entries()) {
        const pattern = `^${first}${times[(index + first.length) % times.length]}${second}${index % 2 ? "$" : ""}`;
        assert.ok(isPlainPattern(pattern), pattern);
        const [native, linear] = [new RegExp(pattern, "u"), compilePattern(pattern)];
        for (const sample of samples) {
          assert.equal(native.test(sample), linear.test(sample), `${pattern} on ${JSON.stringify(sample)}`);
          compared += 1;
        }
      }
    }
    assert.equal(compared, pieces.length ** 2 * samples.length);
  });
});
