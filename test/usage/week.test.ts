import assert from "node:assert/strict";
import { runWeek } from "../../bench/week/run-week.ts";
import { week } from "../../bench/week.ts";
import { useTemporaryFolder } from "../support/temporary-folder.ts";
import { tier } from "../support/tiers.ts";

const CALLS = 2_000;

describe("the sums of a week of calls", function () {
  this.timeout(120_000);
  const folder = useTemporaryFolder();

  it("are what a recount of the provider's log says, in the embedded database", async () => {
    const { differences, faults, seen, total } = await runWeek({ calls: CALLS, folder: folder("week") });
    assert.deepEqual(differences, []);
    assert.deepEqual(faults, []);
    assert.equal(seen.length, CALLS);
    // Of everything that sums could get wrong there was something.
    for (const [name, sum] of Object.entries(total ?? {})) assert.ok(name === "sharedHits" || sum > 0n, name);
    const reasons = new Set(seen.map(({ errorReason }) => errorReason));
    for (const reason of ["CANCELLED", "CONTENT_FILTERED", "CACHE_MISS", "MODEL_UNAVAILABLE", "PARSE_FAILURE"]) {
      assert.ok(reasons.has(reason), reason);
    }
  });

  tier("postgres", () => {
    // It ends with an error where they are not.
    it("are what a recount of the provider's log says, in Postgres, as the benchmark tells", async () => {
      const [section] = await week.measure("quick");
      assert.ok(section?.kind === "counts");
      assert.equal(section.title, `a week of ${CALLS} calls into Postgres`);
      assert.deepEqual(section.rows[0], ["calls", CALLS]);
    });
  });
});
