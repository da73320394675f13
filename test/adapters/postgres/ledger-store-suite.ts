import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { createLedgerStore } from "../../../src/adapters/postgres/ledger-store.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { type LedgerStore, RefusedRecordsError } from "../../../src/adapters/spool/ledger-store.ts";
import type { SpooledRecord } from "../../../src/adapters/spool/record.ts";
import type { AttemptStarted } from "../../../src/core/ledger.ts";
import { silentLog } from "../../../src/core/log.ts";
import { attemptStarted, callFinished, endOf } from "../spool/records.ts";

export const migrationsDir = fileURLToPath(new URL("../../../migrations", import.meta.url));

/** What every database must do with the ledger's records. Called inside a suite; the pool is asked for in each test. */
export function testLedgerStore(pool: () => pg.Pool): void {
  let store: LedgerStore;
  const end = (start: AttemptStarted, fields: Parameters<typeof endOf>[1] = {}): SpooledRecord => ({
    ...endOf(start, fields),
    tenant: start.tenant,
  });
  const attempt = async (start: AttemptStarted) => {
    const { rows } = await pool().query("SELECT * FROM attempts WHERE tenant = $1 AND call_id = $2 AND attempt = $3", [
      start.tenant,
      start.call_id,
      start.attempt,
    ]);
    assert.ok(rows.length <= 1);
    return rows[0];
  };
  const count = async (table: "calls" | "attempts") => {
    const { rows } = await pool().query<{ count: string }>(`SELECT count(*) FROM ${table}`);
    return Number(rows[0]?.count);
  };

  before(async () => {
    await migrate(pool(), migrationsDir, silentLog);
    store = createLedgerStore(pool());
  });
  beforeEach(async () => {
    await pool().query("TRUNCATE calls, attempts, usage_hours, usage_user_hours");
  });

  it("stores a call with every field as it was", async () => {
    const call = callFinished(attemptStarted(), {
      tenant: "ünï \u{1F600}",
      cost_nano_usd: "9223372036854775807",
      saved_nano_usd: null,
      stage_ms: { "odd \" key'": 1.5 },
    });
    await store.write([call]);
    const { rows } = await pool().query("SELECT * FROM calls");
    const { type, user, started_at, finished_at, ...fields } = call;
    assert.deepEqual(
      { ...rows[0], started_at: rows[0].started_at.toISOString(), finished_at: rows[0].finished_at.toISOString() },
      {
        ...fields,
        user_id: user,
        started_at,
        finished_at,
        // Its id is no UUID of version 7.
        called_at: new Date(started_at),
        // `pg` gives bigint as text, so that no digit is lost.
        prompt_tokens: "1234",
        cached_prompt_tokens: "1000",
        completion_tokens: "56",
        reasoning_tokens: "7",
        latency_ms: "950",
      },
    );
    assert.equal(type, "call_finished");
  });

  it("joins the start and the end of an attempt in one row, in whichever order they come", async () => {
    const inOrder = attemptStarted();
    const reversed = attemptStarted();
    await store.write([inOrder]);
    assert.equal((await attempt(inOrder)).finished_at, null);
    await store.write([end(inOrder), end(reversed)]);
    await store.write([reversed]);
    for (const start of [inOrder, reversed]) {
      const row = await attempt(start);
      assert.equal(row.feature, "summaries");
      assert.equal(row.cost_nano_usd, "412345");
      assert.equal(row.finished_at.toISOString(), "2026-03-01T10:00:00.900Z");
    }
    assert.equal(await count("attempts"), 2);
  });

  it("changes nothing when records come again, in the same batch or later", async () => {
    const start = attemptStarted();
    const records = [start, end(start), callFinished(start)];
    await store.write([...records, ...records]);
    await store.write(records);
    assert.equal(await count("calls"), 1);
    assert.equal(await count("attempts"), 1);
  });

  it("lets the first end of an attempt count", async () => {
    const start = attemptStarted();
    await store.write([start, end(start)]);
    await store.write([end(start, { cost_nano_usd: "1", usage_estimated: true })]);
    const row = await attempt(start);
    assert.equal(row.cost_nano_usd, "412345");
    assert.equal(row.usage_estimated, false);
  });

  it("keeps an unknown cost unknown", async () => {
    const start = attemptStarted({ estimated_cost_nano_usd: null });
    await store.write([start, end(start, { cost_nano_usd: null, price_version: null, time_to_first_token_ms: null })]);
    const row = await attempt(start);
    assert.equal(row.estimated_cost_nano_usd, null);
    assert.equal(row.cost_nano_usd, null);
  });

  it("keeps the same call id of two tenants apart", async () => {
    const ours = attemptStarted();
    const theirs = attemptStarted({ call_id: ours.call_id, tenant: "globex" });
    await store.write([ours, theirs, end(theirs, { cost_nano_usd: "1" }), callFinished(ours), callFinished(theirs)]);
    assert.equal((await attempt(ours)).finished_at, null);
    assert.equal((await attempt(theirs)).cost_nano_usd, "1");
    assert.equal(await count("calls"), 2);
  });

  const poison: Record<string, SpooledRecord> = {
    "a NUL in a text": callFinished(undefined, { feature: "a\u0000b" }),
    "half a surrogate pair": callFinished(undefined, { user: "\ud83d" }),
    "a number out of range": callFinished(undefined, { cost_nano_usd: "9223372036854775808" }),
    "a negative amount": callFinished(undefined, { cost_nano_usd: "-1" }),
    "text where a number belongs": callFinished(undefined, { cost_nano_usd: "a lot" }),
    "no date": callFinished(undefined, { started_at: "yesterday-ish" }),
    "an id that no index takes": callFinished(undefined, { call_id: noise(9000) }),
  };
  for (const [what, record] of Object.entries(poison)) {
    it(`refuses a record for ${what}, stores nothing of its batch, and works on`, async () => {
      const start = attemptStarted();
      await assert.rejects(store.write([start, record]), RefusedRecordsError);
      assert.equal(await count("attempts"), 0);
      await store.write([start]);
      assert.equal(await count("attempts"), 1);
    });
  }

  it("does not take a missing table for a fault of the records", async () => {
    await pool().query("ALTER TABLE calls RENAME TO calls_away");
    try {
      await assert.rejects(store.write([callFinished()]), (error) => !(error instanceof RefusedRecordsError));
    } finally {
      await pool().query("ALTER TABLE calls_away RENAME TO calls");
    }
  });

  it("takes a batch of 500 records", async () => {
    const starts = Array.from({ length: 250 }, () => attemptStarted());
    await store.write(starts.flatMap((start) => [start, end(start)]));
    assert.equal(await count("attempts"), 250);
  });
}

/** Text that does not compress, since what an index takes is measured compressed. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(33 + (state % 90));
  }).join("");
}
