import assert from "node:assert/strict";
import type pg from "pg";
import { createLedgerStore } from "../../../src/adapters/postgres/ledger-store.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { createLedger } from "../../../src/adapters/spool/ledger.ts";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { OUTCOME_UNKNOWN } from "../../../src/adapters/spool/record.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import { type Acknowledged, CALLERS, recordAndKill } from "../spool/kill.ts";
import { temporaryFolder } from "../spool/temporary-folder.ts";
import { migrationsDir } from "./ledger-store-suite.ts";

/** A database that several processes open one after the other. */
export interface CrashDatabase {
  /** What the recorder is told to drain to. */
  address(): string;
  open(): Promise<{ readonly pool: pg.Pool; close(): Promise<void> }>;
}

const ROUNDS = 4;

/** Processes that record and drain at once, killed at any moment, leave each call in the database exactly once. */
export function testCrashes(database: CrashDatabase): void {
  const folder = temporaryFolder();

  it("has every acknowledged call once after processes were killed while they recorded and drained", async () => {
    const prepared = await database.open();
    await migrate(prepared.pool, migrationsDir, silentLog);
    await prepared.pool.query("TRUNCATE calls, attempts, usage_hours, usage_user_hours");
    await prepared.close();

    const acknowledged: Acknowledged = { start: new Set(), end: new Set(), call: new Set() };
    for (let round = 0; round < ROUNDS; round += 1) {
      const lines = 1500 + round * 1000;
      await recordAndKill(acknowledged, { dir: folder.path, database: database.address(), lines });
    }
    const { pool, close } = await database.open();
    try {
      await drain(folder.path, pool);
      await compare(acknowledged, pool);
    } finally {
      await close();
    }
  });
}

async function drain(dir: string, pool: pg.Pool): Promise<void> {
  const ports = { clock: systemClock, log: silentLog };
  const spool = await openSpool({ dir, ...ports });
  const ledger = createLedger({ spool, store: createLedgerStore(pool), ...ports });
  ledger.start();
  assert.ok(await ledger.flush(60_000));
  await ledger.close();
}

async function compare(acknowledged: Acknowledged, pool: pg.Pool): Promise<void> {
  const calls = await pool.query<{ call_id: string }>("SELECT call_id FROM calls");
  // The primary keys make a second row impossible; what is left to show is that none is missing.
  const stored = new Set(calls.rows.map((row) => row.call_id));
  for (const id of acknowledged.call) assert.ok(stored.has(id), `call ${id}`);

  const attempts = await pool.query<{ call_id: string; cost_nano_usd: string; error_reason: string }>(
    "SELECT call_id, cost_nano_usd, error_reason FROM attempts WHERE started_at IS NOT NULL AND finished_at IS NOT NULL",
  );
  const ends = new Map(attempts.rows.map((row) => [row.call_id, row]));
  for (const id of acknowledged.start) assert.ok(ends.has(id), `attempt of ${id}`);
  for (const id of acknowledged.end) assert.equal(ends.get(id)?.cost_nano_usd, "412345", `end of ${id}`);
  const estimated = attempts.rows.filter((row) => row.error_reason === OUTCOME_UNKNOWN);
  assert.ok(estimated.length <= ROUNDS * CALLERS);
  for (const row of estimated) assert.equal(row.cost_nano_usd, "300000");
  const { rows } = await pool.query("SELECT count(*)::int AS open FROM attempts WHERE finished_at IS NULL");
  assert.equal(rows[0].open, 0);
}
