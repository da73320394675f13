import assert from "node:assert/strict";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { MigrationError, migrate } from "../../../src/adapters/postgres/migrate.ts";
import { silentLog } from "../../../src/core/log.ts";
import { temporaryFolder } from "../spool/temporary-folder.ts";
import { migrationsDir } from "./ledger-store-suite.ts";

/** What the migrations do on every database. Called inside a suite; the database may be used by other suites before. */
export function testMigrations(pool: () => pg.Pool): void {
  const folder = temporaryFolder();
  const write = (name: string, sql: string) => writeFile(join(folder.path, name), sql);
  const run = () => migrate(pool(), folder.path, silentLog);
  const exists = async (table: string) => {
    const { rows } = await pool().query("SELECT to_regclass($1) IS NOT NULL AS there", [table]);
    return rows[0].there;
  };

  beforeEach(() => pool().query("DROP TABLE IF EXISTS sluice_migrations, first, second, third"));

  it("are applied in order, once", async () => {
    await write("0001_first.sql", "CREATE TABLE first (a int);");
    await write("0002_second.sql", "CREATE TABLE second (a int); ALTER TABLE first ADD b int;");
    assert.equal(await run(), 2);
    assert.equal(await run(), 0);
    await write("0003_third.sql", "CREATE TABLE third (a int);");
    assert.equal(await run(), 1);
    assert.ok(await exists("third"));
  });

  it("are refused when an applied one was changed, except for its line ends", async () => {
    await write("0001_first.sql", "CREATE TABLE first (\na int);");
    await run();
    await write("0001_first.sql", "CREATE TABLE first (\r\na int);");
    assert.equal(await run(), 0);
    await write("0001_first.sql", "CREATE TABLE first (b int);");
    await assert.rejects(run(), { name: "MigrationError", message: /0001_first\.sql is not what was applied/ });
  });

  it("are refused by a database whose schema is newer than the program", async () => {
    await write("0001_first.sql", "CREATE TABLE first (a int);");
    await run();
    await pool().query("INSERT INTO sluice_migrations (version, name, checksum) VALUES (2, '0002_future.sql', 'x')");
    await assert.rejects(run(), { name: "MigrationError", message: /version 2 \(0002_future\.sql\).*newer program/ });
  });

  it("leave nothing of one that fails, and keep those before it", async () => {
    await write("0001_first.sql", "CREATE TABLE first (a int);");
    await write("0002_second.sql", "CREATE TABLE second (a int); SELECT 1 / 0;");
    await assert.rejects(run(), { name: "MigrationError", message: /0002_second\.sql failed: division by zero/ });
    assert.ok(await exists("first"));
    assert.ok(!(await exists("second")));
    await write("0002_second.sql", "CREATE TABLE second (a int);");
    assert.equal(await run(), 1);
  });

  it("are applied by one of several that start at once", async () => {
    await write("0001_first.sql", "CREATE TABLE first (a int); SELECT pg_sleep(0.1);");
    const applied = await Promise.all([run(), run(), run()]);
    assert.deepEqual(applied.sort(), [0, 0, 1]);
  });

  it("are refused when their numbers have a gap or a name is no migration's", async () => {
    await assert.rejects(run(), MigrationError);
    await write("0002_second.sql", "SELECT 1");
    await assert.rejects(run(), /0002_second\.sql: expected the name 0001_/);
    await write("0001_first.sql", "SELECT 1");
    await write("notes.sql", "SELECT 1");
    await assert.rejects(run(), /notes\.sql: expected the name 0003_/);
  });

  it("of the program are valid after each other", async () => {
    await pool().query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    await cp(migrationsDir, folder.path, { recursive: true });
    assert.ok((await run()) > 0);
    assert.equal(await run(), 0);
  });
}
