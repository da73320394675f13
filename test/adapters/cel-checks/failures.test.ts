import assert from "node:assert/strict";
import { verdict } from "./support.ts";

const TOO_MUCH = "the rule costs too much on this answer";
const count = (length: number) => Array.from({ length }, (_, index) => index);
/** Fails so many times for each of the numbers, and holds all the same. */
const failing = (part: string, times: number) => `output.l.all(x, ${`${part} || `.repeat(times)}true)`;

describe("errors inside of loops", () => {
  const dear: readonly (readonly [part: string, items: number])[] = [
    ["1/0 == 1", 200],
    ["[][0] == 1", 1000],
    ["{}.a == 1", 1000],
    ["output.m.a", 1200],
    ["dyn(1) + dyn('a') == 1", 200],
    ["timestamp(0).getHours('X/Y') == 1", 30],
    ["timestamp('x') == timestamp(0)", 200],
  ];
  for (const [part, items] of dear) {
    it(`cost what they take: ${part}`, () => {
      assert.equal(verdict(failing(part, 40), { output: { l: count(items), m: {} } }), TOO_MUCH);
      assert.equal(verdict(failing(part, 1), { output: { l: count(items), m: {} } }), "holds");
    });
  }

  it("leave the stacks of other errors as they were", () => {
    const limit = Error.stackTraceLimit;
    assert.match(verdict("output.l[9] == 1", { output: { l: [] } }), /no item/);
    assert.equal(Error.stackTraceLimit, limit);
    assert.match(new Error("one").stack ?? "", /failures\.test/);
  });
});

describe("maps in rules", () => {
  const m = Object.fromEntries(count(500).map((n) => [`id ${n}`, n]));
  const lines = count(500).map((n) => ({ id: `id ${n}` }));

  it("are asked for keys at the price of one", () => {
    assert.equal(verdict("output.lines.all(l, l.id in output.m)", { output: { lines, m } }), "holds");
    assert.equal(verdict("output.lines.all(l, output.m[l.id] >= 0)", { output: { lines, m } }), "holds");
    assert.equal(verdict("'none' in output.m || 7 in output.m", { output: { lines, m } }), "broken");
    assert.match(verdict("output.m[7] == 7", { output: { lines, m } }), /no item at this place$/);
  });
});
