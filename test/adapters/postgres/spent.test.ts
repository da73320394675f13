import type pg from "pg";
import { connectPostgres } from "../../../src/adapters/postgres/connect.ts";
import { silentLog } from "../../../src/core/log.ts";
import type { TestDatabase } from "../../support/postgres-server.ts";
import { tier } from "../../support/tiers.ts";
import { testSpent } from "./spent-suite.ts";

describe("what the ledger says was spent", () => {
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

    testSpent(() => pool);
  });
});
