import assert from "node:assert/strict";
import { interleave, spread } from "../../bench/interleave.ts";
import { measureCorrection } from "../../bench/structured/correction.ts";
import { measureParseCost } from "../../bench/structured/parse-cost.ts";
import { measureRecovery } from "../../bench/structured/recovery.ts";
import { sectionText, table } from "../../bench/table.ts";

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

  it("prints counts under their title and the remark that says what they do not show", () => {
    const rows = [
      ["a", 3, 1.5],
      ["all", 12, ""],
    ];
    const text = sectionText({ kind: "counts", title: "things", remark: "Beware.", columns: ["", "n", "mean"], rows });
    assert.equal(text, "things\nBeware.\n     n   mean\na    3   1.50\nall  12");
  });
});

describe("the benchmark of structured output", () => {
  it("measures every answer against JSON.parse of the clean one", async () => {
    const sections = await measureParseCost("quick");
    assert.equal(sections.length, 3);
    for (const { results, floor } of sections) {
      assert.ok(results.has(floor));
      for (const [name, { "µs/KB": cost }] of results) assert.ok(cost && cost.median > 0, name);
    }
  });

  it("grades the corpus by class, the simple readers beside our own", () => {
    const { rows, columns } = measureRecovery();
    const all = rows.at(-1) ?? [];
    const [toRead, toReject, read, rejected, fatal, wholeRead] = all.slice(1);
    assert.deepEqual([read, rejected, fatal], [toRead, toReject, 0]);
    assert.ok(Number(wholeRead) < Number(read));
    assert.ok(rows.every((row) => row.length === columns.length));
  });

  it("recovers every scripted misbehaviour but those that no message mends within the budget", async () => {
    const { rows, remark } = await measureCorrection();
    assert.match(remark, /Scripts are not models/);
    const lost = rows.slice(0, -1).filter(([, scripts, recovered]) => scripts !== recovered);
    assert.deepEqual(
      lost.map(([kind, , recovered, , wrong, attempts, reason]) => [kind, recovered, wrong, attempts, reason]),
      [
        ["out of tokens, whatever the room", 0, 0, 3, "PARSE_FAILURE"],
        ["three, each behind the other", 0, 0, 3, "PARSE_FAILURE"],
        ["the same mistake for ever", 0, 0, 3, "PARSE_FAILURE"],
        ["two mistakes by turns", 0, 0, 3, "PARSE_FAILURE"],
        ["untrue, and insists", 0, 0, 2, "SEMANTIC_FAILURE"],
      ],
    );
  });
});
