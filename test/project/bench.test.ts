import assert from "node:assert/strict";
import { interleave, spread } from "../../bench/interleave.ts";
import { table } from "../../bench/table.ts";

describe("the benchmark runner", () => {
  it("measures the subjects in turns and throws the first round away", async () => {
    const order: string[] = [];
    const subject = (name: string) => ({
      name,
      measure: async () => ({ count: order.push(name) }),
    });
    const results = await interleave([subject("a"), subject("b")], 3);
    assert.equal(order.join(""), "abababab");
    assert.deepEqual(results.get("a"), { count: { median: 5, min: 3, max: 7 } });
  });

  it("gives the median and the extremes in any order of values", () => {
    assert.deepEqual(spread([9, 1, 10]), { median: 9, min: 1, max: 10 });
    assert.throws(() => spread([]), /nothing was measured/);
  });

  it("prints a row for each subject, with its ratios to the floor", () => {
    const one = (value: number) => ({ median: value, min: value, max: value });
    const results = new Map([
      ["floor", { "calls/s": one(1000), ms: one(2) }],
      ["ours", { "calls/s": one(250), ms: one(3.456) }],
    ]);
    assert.deepEqual(
      table(results, "floor", ["calls/s"])
        .split("\n")
        .map((row) => row.split(/ {2,}/)),
      [
        ["", "calls/s", "ms", "calls/s / floor"],
        ["floor", "1000 (1000–1000)", "2.00 (2.00–2.00)", "1.00"],
        ["ours", "250 (250–250)", "3.46 (3.46–3.46)", "0.25"],
      ],
    );
  });
});
