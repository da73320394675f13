import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { type EmbeddedDatabase, openPglite } from "../../../src/adapters/pglite/open.ts";
import { connectPostgres } from "../../../src/adapters/postgres/connect.ts";
import { silentLog } from "../../../src/core/log.ts";
import type { TestDatabase } from "../../support/postgres-server.ts";
import { tier } from "../../support/tiers.ts";
import { describeCorpusStore } from "./corpus-suite.ts";

describe("collections in Postgres", function () {
  this.timeout(60_000);
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
    describeCorpusStore(() => pool);
  });
});

describe("collections in PGlite", function () {
  this.timeout(120_000);
  let dir = "";
  let database: EmbeddedDatabase;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-pglite-"));
    database = await openPglite({ dir: join(dir, "db"), log: silentLog });
  });
  after(async () => {
    await database.close();
    await rm(dir, { recursive: true, force: true });
  });
  describeCorpusStore(() => database.pool);
});
