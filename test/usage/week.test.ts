import assert from "node:assert/strict";
import { runWeek } from "../../bench/week/run-week.ts";
import { week } from "../../bench/week.ts";
import type { TestDatabase } from "../support/postgres-server.ts";
import { useTemporaryFolder } from "../support/temporary-folder.ts";
import { tier } from "../support/tiers.ts";

const CALLS = 2_000;

describe("the sums of a week of calls", function () {
  this.timeout(120_000);
  const folder = useTemporaryFolder();

  const check = async (options: { readonly folder: string; readonly databaseUrl?: string }) => {
    const { differences, faults, seen, total } = await runWeek({ calls: CALLS, ...options });
    assert.deepEqual(differences, []);
    assert.deepEqual(faults, []);
    assert.equal(seen.length, CALLS);
    // Of everything that sums could get wrong there was something.
    for (const [name, sum] of Object.entries(total ?? {})) assert.ok(name === "sharedHits" || sum > 0n, name);
    const failed = new Set(seen.map(({ errorReason }) => errorReason));
    for (const reason of ["CANCELLED", "CONTENT_FILTERED", "CACHE_MISS", "MODEL_UNAVAILABLE", "PARSE_FAILURE"]) {
      assert.ok(failed.has(reason), reason);
    }
  };

  it("are what a recount of the provider's log says, in the embedded database", () =>
    check({ folder: folder("pglite") }));

  tier("postgres", (postgres) => {
    let database: TestDatabase;
    before(async () => {
      database = await postgres.createDatabase();
    });
    after(() => database.drop());

    it("are what a recount of the provider's log says, in Postgres", () =>
      check({ folder: folder("postgres"), databaseUrl: database.url }));

    it("are measured by the benchmark", async () => {
      const [section] = await week.measure("quick");
      assert.ok(section?.kind === "counts");
      assert.deepEqual(section.rows[0], ["calls", CALLS]);
    });
  });
});
