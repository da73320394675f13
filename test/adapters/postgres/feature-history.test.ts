import assert from "node:assert/strict";
import type pg from "pg";
import { connectPostgres } from "../../../src/adapters/postgres/connect.ts";
import { createFeatureHistory } from "../../../src/adapters/postgres/feature-history.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import { silentLog } from "../../../src/core/log.ts";
import type { TestDatabase } from "../../support/postgres-server.ts";
import { tier } from "../../support/tiers.ts";
import { testFeatureHistory } from "./feature-history-suite.ts";

const filter = { feature: "support", prompt: "", fromMs: 0, toMs: 1 };
const isAway = (error: unknown) => error instanceof SluiceError && error.failure.reason === "STORE_UNAVAILABLE";

describe("history of a feature", () => {
  tier("postgres", (postgres) => {
    let database: TestDatabase;
    let pool: pg.Pool;

    before(async () => {
      database = await postgres.createDatabase();
      pool = connectPostgres(database.url, { log: silentLog });
    });
    after(async () => {
      await pool.end();
      await database.drop();
    });

    describe("in Postgres", () => testFeatureHistory(() => pool));
  });

  it("is STORE_UNAVAILABLE while the database is away", async () => {
    const pool = connectPostgres("postgres://127.0.0.1:1/none", { log: silentLog });
    const history = createFeatureHistory(Promise.resolve(pool));
    await Promise.resolve();
    await assert.rejects(history.measure("acme", filter), isAway);
    await pool.end();
  });

  it("is STORE_UNAVAILABLE where the database takes too long to open", async () => {
    const history = createFeatureHistory(new Promise<pg.Pool>(() => {}), { openingMs: 20 });
    await assert.rejects(history.measure("acme", filter), isAway);
  });
});
