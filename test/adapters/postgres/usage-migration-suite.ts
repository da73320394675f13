import assert from "node:assert/strict";
import { cp, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { createLedgerStore } from "../../../src/adapters/postgres/ledger-store.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { silentLog } from "../../../src/core/log.ts";
import { temporaryFolder } from "../spool/temporary-folder.ts";
import { migrationsDir } from "./ledger-store-suite.ts";
import { makeCalls } from "./usage-recount.ts";

/** The sums that the migration makes of rows that were there before are those that the writer would have kept. */
export function testUsageMigration(pool: () => pg.Pool): void {
  const folder = temporaryFolder();

  it("adds up the rows that were stored before it", async () => {
    const sums = async (table: string) => {
      const { rows } = await pool().query(`SELECT * FROM ${table}`);
      return rows.map((row) => JSON.stringify({ ...row, latency: merged(row.latency) }, sorted)).sort();
    };
    await freshSchema(pool());
    await migrate(pool(), migrationsDir, silentLog);
    // What old rows cannot say of attempts whose call never ended, the migration cannot know.
    const calls = makeCalls(300, 21).filter(({ call }) => call);
    await createLedgerStore(pool()).write(calls.flatMap(({ records }) => records));
    const kept = { calls: await sums("usage_hours"), users: await sums("usage_user_hours") };
    const old = join(folder.path, "old");
    await mkdir(old, { recursive: true });
    const before = (await readdir(migrationsDir)).filter((name) => name < "0003");
    for (const name of before) await cp(join(migrationsDir, name), join(old, name));

    await pool().query("ALTER TABLE calls RENAME TO kept_calls; ALTER TABLE attempts RENAME TO kept_attempts");
    await pool().query("ALTER SCHEMA public RENAME TO kept; CREATE SCHEMA public");
    await migrate(pool(), old, silentLog);
    for (const table of ["calls", "attempts"]) {
      const columns = await pool().query(
        "SELECT string_agg(column_name, ', ') AS names FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
        [table],
      );
      const { names } = columns.rows[0];
      await pool().query(`INSERT INTO ${table} (${names}) SELECT ${names} FROM kept.kept_${table}`);
    }
    await migrate(pool(), migrationsDir, silentLog);
    assert.ok(kept.calls.length > 50);
    assert.deepEqual({ calls: await sums("usage_hours"), users: await sums("usage_user_hours") }, kept);
    await pool().query("DROP SCHEMA kept CASCADE");
    await freshSchema(pool());
  });
}

async function freshSchema(pool: pg.Pool): Promise<void> {
  await pool.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

/** A histogram with each bucket once. */
function merged(latency: readonly string[]): [string, number][] {
  const buckets = new Map<string, number>();
  for (const element of latency.map(BigInt)) {
    const bucket = String(element >> 32n);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + Number(element & 0xffff_ffffn));
  }
  return [...buckets].sort();
}

/** Columns in the order of their names. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort());
}
