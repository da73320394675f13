import assert from "node:assert/strict";
import type { Ratios } from "../../bench/benchmark.ts";
import { comparison } from "../../bench/compare.ts";
import { interleave, type Result, spread } from "../../bench/interleave.ts";
import { verdict } from "../../bench/ratios.ts";
import { createReport, type Report } from "../../bench/report.ts";
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
    assert.deepEqual(results.get("a"), { count: { median: 5, min: 3, max: 7, values: [3, 5, 7] } });
  });

  it("measures what starts anew each time without a round before, and slow subjects less often", async () => {
    const order: string[] = [];
    const subject = (name: string) => ({ name, measure: async () => ({ count: order.push(name) }) });
    await interleave([subject("a"), { ...subject("b"), maxRounds: 1 }], 2, { warmUp: false });
    assert.equal(order.join(""), "aba");
  });

  it("gives the median and the extremes in any order of values", () => {
    assert.deepEqual(spread([9, 1, 10]), { median: 9, min: 1, max: 10, values: [9, 1, 10] });
    assert.throws(() => spread([]), /nothing was measured/);
  });

  it("prints a row for each subject, with the middle of its rounds' ratios to the floor", () => {
    const ratiosOf = ["calls/s"];
    const results = new Map([
      ["floor", { "calls/s": spread([1000, 500, 1000]), ms: spread([2]) }],
      ["ours", { "calls/s": spread([250, 250, 260]), ms: spread([3.456]) }],
    ]);
    assert.deepEqual(
      table({ results, floor: "floor", ratiosOf })
        .split("\n")
        .map((row) => row.split(/ {2,}/)),
      [
        ["", "calls/s", "ms", "calls/s / floor"],
        ["floor", "1000 (500–1000)", "2.00", "1"],
        ["ours", "250 (250–260)", "3.46", "0.26 (0.25–0.50)"],
      ],
    );
  });

  it("says of each target whether it is met", () => {
    const target = { subject: "ours", metric: "ms" };
    const ratios = { ours: { ms: spread([1.2]) } };
    assert.match(verdict(ratios, { ...target, atMost: 1.3 }) ?? "", /1\.20 .* met: at most 1\.3/);
    assert.match(verdict(ratios, { ...target, atMost: 1.1 }) ?? "", /MISSED: at most 1\.1/);
    assert.match(verdict(ratios, { ...target, atLeast: 2 }) ?? "", /MISSED: at least 2/);
    assert.equal(verdict(ratios, { ...target, subject: "others", atMost: 9 }), undefined);
  });

  it("sets ratios against those of an earlier run", () => {
    const report = (ms: number[], rate: number[]) => {
      const ours = { ms: spread(ms), rate: spread(rate), late: spread([1]) };
      const results = new Map<string, Result>([
        ["floor", { ms: spread([1, 1]), rate: spread([1, 1]), late: spread([1]) }],
        ["ours", ours],
      ]);
      const ratiosOf = ms.length === 1 ? ["ms", "rate"] : ["ms", "rate", "late"];
      const section: Ratios = { kind: "ratios", title: "t", floor: "floor", ratiosOf, moreIsBetter: ["rate"], results };
      return createReport("quick", [{ name: "b", sections: [section], otherWork: 0 }]);
    };
    const words = (now: Report, earlier: Report) =>
      comparison(now, earlier)
        .split("\n")
        .slice(1)
        .map((row) => row.split(/ {2,}/).at(-1));
    const earlier = report([2], [2]);
    assert.deepEqual(words(report([3, 4], [3, 4]), earlier), ["worse", "better", "not measured then"]);
    assert.deepEqual(words(report([1, 3], [0.5, 1]), earlier), ["within the spread", "worse", "not measured then"]);
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
