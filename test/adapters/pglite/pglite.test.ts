import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedDatabase, openPglite } from "../../../src/adapters/pglite/open.ts";
import { silentLog } from "../../../src/core/log.ts";
import { testCrashes } from "../postgres/crash-suite.ts";
import { testIdempotentCalls } from "../postgres/idempotent-calls-suite.ts";
import { testLedgerStore } from "../postgres/ledger-store-suite.ts";
import { testMigrations } from "../postgres/migrate-suite.ts";
import { testUsageMigration } from "../postgres/usage-migration-suite.ts";
import { testUsageStore } from "../postgres/usage-store-suite.ts";
import { testConnections } from "./connection-suite.ts";
import { testFolder } from "./folder-suite.ts";

describe("PGlite", function () {
  // A new folder takes seconds, so the suites share one.
  this.timeout(120_000);
  let dir = "";
  let database: EmbeddedDatabase;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-pglite-"));
    const template = await openPglite({ dir: join(dir, "template"), log: silentLog });
    await template.close();
    for (const name of ["db", "crashed"]) await cp(join(dir, "template"), join(dir, name), { recursive: true });
    database = await openPglite({ dir: join(dir, "db"), log: silentLog });
  });
  after(async () => {
    await database.close();
    await rm(dir, { recursive: true, force: true });
  });

  describe("ledger store", () => testLedgerStore(() => database.pool));
  describe("usage store", () => testUsageStore(() => database.pool));
  describe("usage migration", () => testUsageMigration(() => database.pool));
  describe("idempotent calls", () => testIdempotentCalls(() => [database.pool, database.pool]));
  describe("migrations", () => testMigrations(() => database.pool));
  describe("connections", () => testConnections(() => database.pool));
  describe("folder", () => testFolder(() => join(dir, "template")));
  describe("crashes", () => {
    const crashed = () => join(dir, "crashed");
    testCrashes({ address: crashed, open: () => openPglite({ dir: crashed(), log: silentLog }) });
  });
});
