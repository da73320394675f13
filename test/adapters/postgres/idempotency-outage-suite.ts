import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { connectPostgres } from "../../../src/adapters/postgres/connect.ts";
import { createIdempotentCalls } from "../../../src/adapters/postgres/idempotent-calls.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { type RecordingLog, recordingLog } from "../spool/recording-log.ts";
import { again, type Calls, completionOf, failureOf, newKey, turnOf } from "./idempotent-calls-suite.ts";
import { migrationsDir } from "./ledger-store-suite.ts";

const never = new AbortController().signal;

/** What becomes of idempotent calls while the database is away. The URL is of one that is there. */
export function testIdempotencyOutage(databaseUrl: () => string): void {
  let proxy: TcpProxy;
  let farPool: pg.Pool;
  let nearPool: pg.Pool;
  let log: RecordingLog;
  /** Its way to the database can be cut. */
  let far: Calls;
  /** Another process, which the database is never away from. */
  let near: Calls;

  beforeEach(async () => {
    const url = new URL(databaseUrl());
    proxy = await startTcpProxy(Number(url.port || 5432), url.hostname);
    nearPool = connectPostgres(url.href, { log: silentLog });
    await migrate(nearPool, migrationsDir, silentLog);
    url.hostname = "127.0.0.1";
    url.port = String(proxy.port);
    farPool = connectPostgres(url.href, { log: silentLog });
    log = recordingLog();
    far = createIdempotentCalls({ pool: async () => farPool, log, clock: systemClock });
    near = createIdempotentCalls({ pool: async () => nearPool, log: silentLog, clock: systemClock });
  });
  afterEach(async () => {
    proxy.resume();
    await Promise.all([far.close(), near.close()]);
    await proxy.close();
    await Promise.all([farPool.end(), nearPool.end()]);
  });

  const away = () => {
    proxy.refuse();
    proxy.cut();
  };
  const unavailable = { reason: "STORE_UNAVAILABLE", resource: "postgres", limit: 0, retryAfterMs: 1000 };

  it("answers STORE_UNAVAILABLE while it lasts, says so once, and works again by itself", async () => {
    const key = newKey();
    away();
    assert.deepEqual(await failureOf(far.begin(key, never)), unavailable);
    assert.deepEqual(await failureOf(far.begin(key, never)), unavailable);
    await proxy.accept();
    await (await turnOf(far, key)).release();
    assert.deepEqual(log.events(), ["idempotency_store_away", "idempotency_store_back"]);
  });

  it("answers STORE_UNAVAILABLE to those who wait for another call", async () => {
    const key = newKey();
    const turn = await turnOf(near, key);
    const waiting = [far.begin(again(key), never), far.begin(again(key), never)].map(failureOf);
    await pause(100);
    away();
    assert.deepEqual(await Promise.all(waiting), [unavailable, unavailable]);
    await turn.release();
  });

  it("waits for a database that opens later, and answers STORE_UNAVAILABLE where it does not", async () => {
    // Five seconds are over soon.
    const clock = {
      ...systemClock,
      after: (ms: number, callback: () => void) => systemClock.after?.(ms / 20, callback) ?? (() => {}),
    };
    const { promise, resolve } = Promise.withResolvers<pg.Pool>();
    const opening = createIdempotentCalls({ pool: promise, log, clock });
    const failed = createIdempotentCalls({ pool: Promise.reject(new Error("a newer schema")), log, clock });
    assert.deepEqual(await failureOf(opening.begin(newKey(), never)), unavailable);
    assert.deepEqual(await failureOf(failed.begin(newKey(), never)), unavailable);
    const taking = turnOf(opening, newKey());
    resolve(nearPool);
    await (await taking).release();
    await Promise.all([opening.close(), failed.close()]);
  });

  it("does not wait for ever for a database that is mute; what it may have done ends with the lease", async function () {
    this.timeout(30_000);
    const hasty = createIdempotentCalls({ pool: async () => farPool, log, clock: systemClock, leaseMs: 1000 });
    const key = newKey();
    await (await turnOf(hasty, newKey())).release();
    proxy.stall();
    assert.deepEqual(await failureOf(hasty.begin(key, never)), unavailable);
    proxy.resume();
    await (await turnOf(near, again(key))).release();
    await hasty.close();
  });

  for (const fault of ["away", "mute"]) {
    it(`keeps an outcome beside the calls when it is ${fault} at the end of a call`, async function () {
      this.timeout(30_000);
      const key = newKey();
      const turn = await turnOf(far, key);
      if (fault === "away") away();
      else proxy.stall();
      const outcome = completionOf("kept late");
      // Resolves all the same: the caller has its answer.
      await turn.keep(outcome);
      const waiting = near.begin(again(key), never);
      await pause(200);
      if (fault === "away") await proxy.accept();
      else proxy.resume();
      assert.deepEqual(await waiting, outcome);
      assert.ok(log.events().includes("idempotent_outcome_delayed"), String(log.events()));
    });
  }

  it("keeps at most 1,000 outcomes until then, and says of the others that they are lost", async function () {
    this.timeout(60_000);
    const keys = Array.from({ length: 1010 }, () => newKey());
    const turns = await Promise.all(keys.map((key) => turnOf(far, key)));
    away();
    await Promise.all(turns.map((turn) => turn.keep(completionOf("x"))));
    const count = (event: string) => log.events().filter((name) => name === event).length;
    assert.deepEqual([count("idempotent_outcome_delayed"), count("idempotent_outcome_dropped")], [1000, 10]);
    await proxy.accept();
    const kept = async () => {
      const sql = "SELECT count(outcome) FROM idempotent_calls WHERE idempotency_key = ANY ($1)";
      return Number((await nearPool.query(sql, [keys.map(({ key }) => key)])).rows[0].count);
    };
    while ((await kept()) < 1000) await pause(50);
    assert.equal(await kept(), 1000);
  });

  it("tells what is lost when the process ends before it is over, and does not wait long", async () => {
    const turn = await turnOf(far, newKey());
    away();
    await turn.keep(completionOf("x"));
    await far.close();
    assert.deepEqual(log.lines.at(-1)?.event, "idempotent_outcomes_lost");
    assert.deepEqual(log.lines.at(-1)?.fields, { count: 1 });
  });
}
