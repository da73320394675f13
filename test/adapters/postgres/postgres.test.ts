import assert from "node:assert/strict";
import type pg from "pg";
import { connectPostgres } from "../../../src/adapters/postgres/connect.ts";
import { silentLog } from "../../../src/core/log.ts";
import type { TestDatabase } from "../../support/postgres-server.ts";
import { tier } from "../../support/tiers.ts";
import { recordingLog } from "../spool/recording-log.ts";
import { testCrashes } from "./crash-suite.ts";
import { testIdempotencyOutage } from "./idempotency-outage-suite.ts";
import { testIdempotentCalls } from "./idempotent-calls-suite.ts";
import { testLedgerStore } from "./ledger-store-suite.ts";
import { testMigrations } from "./migrate-suite.ts";
import { testOutage } from "./outage-suite.ts";
import { testUsageMigration } from "./usage-migration-suite.ts";
import { testUsageStore } from "./usage-store-suite.ts";

describe("Postgres", () => {
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

    describe("ledger store", () => testLedgerStore(() => pool));
    describe("usage store", () => testUsageStore(() => pool));
    describe("usage migration", () => testUsageMigration(() => pool));
    describe("idempotent calls", () => {
      let other: pg.Pool;
      before(() => {
        other = connectPostgres(database.url, { log: silentLog });
      });
      after(() => other.end());
      testIdempotentCalls(() => [pool, other]);
      testIdempotencyOutage(() => database.url);
    });
    describe("migrations", () => testMigrations(() => pool));

    describe("crashes", function () {
      this.timeout(60_000);
      testCrashes({
        address: () => database.url,
        open: async () => {
          const own = connectPostgres(database.url, { log: silentLog });
          return { pool: own, close: () => own.end() };
        },
      });
    });
    describe("outage", () => testOutage(() => database.url));

    describe("connection pool", () => {
      it("survives the loss of an idle connection", async () => {
        const log = recordingLog();
        const lossy = connectPostgres(database.url, { log });
        try {
          const { rows } = await lossy.query("SELECT pg_backend_pid() AS pid");
          const lost = new Promise((resolve) => lossy.once("error", resolve));
          await pool.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
          await lost;
          assert.deepEqual(log.events(), ["postgres_connection_lost"]);
          assert.equal((await lossy.query("SELECT 1 AS one")).rows[0].one, 1);
        } finally {
          await lossy.end();
        }
      });

      it("ends a statement that runs too long", async () => {
        const hasty = connectPostgres(database.url, { log: silentLog, statementTimeoutMs: 100 });
        try {
          await assert.rejects(hasty.query("SELECT pg_sleep(60)"), { code: "57014" });
        } finally {
          await hasty.end();
        }
      });
    });
  });

  it("refuses a URL of something else", () => {
    assert.throws(() => connectPostgres("mysql://localhost/x", { log: silentLog }), TypeError);
  });

  it("that is away is an error of the query, within the time to connect", async () => {
    const pool = connectPostgres("postgres://127.0.0.1:1/none", { log: silentLog });
    await assert.rejects(pool.query("SELECT 1"), { code: "ECONNREFUSED" });
    await pool.end();
  });
});
