import assert from "node:assert/strict";
import { embedding } from "../../bench/embed.ts";
import { retrieval } from "../../bench/retrieval.ts";
import { tier } from "../support/tiers.ts";

describe("the benchmarks of retrieval", function () {
  this.timeout(120_000);

  it("embed measures both ways of asking", async () => {
    const [section] = await embedding.measure("quick");
    assert.ok(section?.kind === "ratios");
    assert.equal(section.results.size, 2);
  });

  tier("postgres", () => {
    it("retrieval measures storing, searching and recall, and finds nearly everything", async () => {
      const sections = await retrieval.measure("quick");
      const [storing, searching, recall] = sections;
      assert.ok(storing?.kind === "ratios" && searching?.kind === "ratios" && recall?.kind === "counts");
      assert.deepEqual([storing.results.size, searching.results.size, recall.rows.length], [2, 4, 3]);
      for (const [where, , found] of recall.rows) assert.ok(Number(found) >= 0.95, `${where}: ${found}`);
    });
  });
});
