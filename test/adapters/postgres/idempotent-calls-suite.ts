import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import type pg from "pg";
import { AttemptCause, AttemptSchema } from "../../../gen/sluice/v1/attempt_pb.ts";
import { CompletionSchema, FinishReason } from "../../../gen/sluice/v1/completion_pb.ts";
import { ContentSide } from "../../../gen/sluice/v1/error_detail_pb.ts";
import { ErrorReason } from "../../../gen/sluice/v1/error_reason_pb.ts";
import { createIdempotentCalls, MAX_OUTCOME_BYTES } from "../../../src/adapters/postgres/idempotent-calls.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { type Failure, SluiceError } from "../../../src/core/failure.ts";
import type { IdempotencyKey, IdempotentTurn, Outcome } from "../../../src/core/idempotency.ts";
import { silentLog } from "../../../src/core/log.ts";
import { type RecordingLog, recordingLog } from "../spool/recording-log.ts";
import { migrationsDir } from "./ledger-store-suite.ts";

export type Calls = ReturnType<typeof createIdempotentCalls>;

const hashOf = (letter: string) => letter.repeat(64);

/** A key that no other test has. */
export function newKey(fields: Partial<IdempotencyKey> = {}): IdempotencyKey {
  return { tenant: "acme", key: randomUUID(), requestHash: hashOf("a"), callId: randomUUID(), ...fields };
}

/** The same key and request from another call. */
export const again = (key: IdempotencyKey): IdempotencyKey => ({ ...key, callId: randomUUID() });

const never = new AbortController().signal;

const attempts = [
  create(AttemptSchema, {
    number: 1,
    model: "fast",
    provider: "main",
    cause: AttemptCause.CORRECTION,
    waitMs: 5n,
    costNanoUsd: 2n ** 60n,
    errorReason: ErrorReason.PARSE_FAILURE,
  }),
];

export function completionOf(text: string): Outcome {
  const completion = create(CompletionSchema, {
    callId: randomUUID(),
    text,
    finishReason: FinishReason.STOP,
    costNanoUsd: 9_007_199_254_740_993n,
    attempts,
    timings: { total: { seconds: 1n, nanos: 5 } },
  });
  return { kind: "completion", completion, isJson: false };
}

export async function turnOf(calls: Calls, key: IdempotencyKey, signal = never): Promise<IdempotentTurn> {
  const result = await calls.begin(key, signal);
  assert.ok(result.kind === "turn", `got ${result.kind} instead of the turn`);
  return result;
}

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SluiceError, String(error));
  return error.failure;
}

/** What every database must do for idempotent calls. Two stores over one database stand for two processes. */
export function testIdempotentCalls(pools: () => readonly [pg.Pool, pg.Pool]): void {
  let here: Calls;
  let there: Calls;
  let log: RecordingLog;

  before(() => migrate(pools()[0], migrationsDir, silentLog));
  beforeEach(() => {
    log = recordingLog();
    const [first, second] = pools();
    here = createIdempotentCalls({ pool: Promise.resolve(first), log, clock: systemClock });
    there = createIdempotentCalls({ pool: async () => second, log, clock: systemClock });
  });
  afterEach(() => Promise.all([here.close(), there.close()]));

  const rowOf = async ({ tenant, key }: IdempotencyKey) => {
    const { rows } = await pools()[0].query(
      "SELECT * FROM idempotent_calls WHERE tenant = $1 AND idempotency_key = $2",
      [tenant, key],
    );
    assert.ok(rows.length <= 1);
    return rows[0];
  };
  const set = async ({ tenant, key }: IdempotencyKey, assignment: string) => {
    const sql = `UPDATE idempotent_calls SET ${assignment} WHERE tenant = $1 AND idempotency_key = $2`;
    assert.equal((await pools()[0].query(sql, [tenant, key])).rowCount, 1);
  };
  /** The lease of a call whose process died. */
  const endLease = (key: IdempotencyKey) => set(key, "lease_until = now() - interval '1 second'");
  const expire = (key: IdempotencyKey) => set(key, "expires_at = now() - interval '1 second'");

  it("gives the turn to one of 50 calls at once over two processes, and its answer to all others", async () => {
    const key = newKey();
    const turns: IdempotentTurn[] = [];
    const outcome = completionOf("one");
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const result = await (index % 2 ? here : there).begin(again(key), never);
        if (result.kind !== "turn") return result;
        turns.push(result);
        await pause(100);
        await result.keep(outcome);
        return outcome;
      }),
    );
    assert.equal(turns.length, 1);
    assert.equal(turns[0]?.isTakenOver, false);
    for (const result of results) assert.deepEqual(result, outcome);
    assert.deepEqual(log.events(), []);
  });

  const failures: readonly Failure[] = [
    {
      reason: "PARSE_FAILURE",
      violations: [{ path: "/a", rule: "type", expected: "string", got: "array" }],
      attempts,
      excerpt: '{"a":[\u{1F600}',
      truncated: true,
    },
    { reason: "SEMANTIC_FAILURE", violations: [{ rule: "output.a > 0", message: "m" }], attempts, excerpt: "x" },
    { reason: "CONTENT_FILTERED", side: ContentSide.OUTPUT, category: "violence", model: "fast" },
  ];
  const outcomes: Record<string, Outcome> = {
    "a completion": completionOf("the answer \u{1F600}\u0000"),
    "an empty completion of JSON": { kind: "completion", completion: create(CompletionSchema), isJson: true },
    ...Object.fromEntries(failures.map((failure) => [failure.reason, { kind: "failure", failure }])),
  };
  for (const [what, outcome] of Object.entries(outcomes)) {
    it(`returns ${what} as it was to whoever repeats the call, in any process`, async () => {
      const key = newKey();
      await (await turnOf(here, key)).keep(outcome);
      assert.deepEqual(await there.begin(again(key), never), outcome);
      assert.deepEqual(await here.begin(again(key), never), outcome);
    });
  }

  it("keeps the keys of tenants apart", async () => {
    const key = newKey();
    await (await turnOf(here, key)).keep(completionOf("ours"));
    await (await turnOf(here, { ...again(key), tenant: "globex" })).release();
  });

  for (const state of ["under way", "over"]) {
    it(`refuses another request with the key of one that is ${state}`, async () => {
      const key = newKey();
      const turn = await turnOf(here, key);
      if (state === "over") await turn.keep(completionOf("one"));
      const failure = await failureOf(there.begin({ ...again(key), requestHash: hashOf("b") }, never));
      assert.ok(failure.reason === "IDEMPOTENCY_CONFLICT");
      assert.deepEqual([failure.key, failure.firstCallId], [key.key, key.callId]);
      assert.ok(Math.abs(Date.now() - failure.firstStartedAtMs) < 60_000, String(failure.firstStartedAtMs));
      await turn.release();
    });
  }

  it("gives the turn to a waiting call, in this process or another, when it is released", async () => {
    const key = newKey();
    const turn = await turnOf(here, key);
    const waiting = [here.begin(again(key), never), there.begin(again(key), never)];
    await pause(120);
    await turn.release();
    const next = await Promise.race(waiting);
    assert.ok(next.kind === "turn" && !next.isTakenOver);
    const outcome = completionOf("two");
    await next.keep(outcome);
    const results = await Promise.all(waiting);
    assert.deepEqual(
      results.filter(({ kind }) => kind !== "turn"),
      [outcome],
    );
  });

  it("lets the first end of a turn count", async () => {
    const key = newKey();
    const turn = await turnOf(here, key);
    const outcome = completionOf("first");
    await Promise.all([turn.keep(outcome), turn.release(), turn.keep(completionOf("second"))]);
    assert.deepEqual(await there.begin(again(key), never), outcome);
  });

  it("lets one of many waiting calls take over when the process of the first is dead", async () => {
    const key = newKey();
    // A turn that ends no more, in a process that renews no lease any more.
    await turnOf(there, key);
    await there.close();
    const waiting = Array.from({ length: 10 }, () => here.begin(again(key), never));
    await pause(120);
    await endLease(key);
    const next = await Promise.race(waiting);
    assert.ok(next.kind === "turn" && next.isTakenOver);
    const outcome = completionOf("two");
    await next.keep(outcome);
    const results = await Promise.all(waiting);
    assert.equal(results.filter(({ kind }) => kind === "turn").length, 1);
    for (const result of results) if (result.kind !== "turn") assert.deepEqual(result, outcome);
  });

  it("does not let another request take over a dead call's key", async () => {
    const key = newKey();
    await turnOf(there, key);
    await endLease(key);
    const other = { ...again(key), requestHash: hashOf("b") };
    assert.equal((await failureOf(here.begin(other, never))).reason, "IDEMPOTENCY_CONFLICT");
  });

  it("does not let a call that lost its turn overwrite or free anything", async () => {
    const key = newKey();
    const slow = await turnOf(here, key);
    await endLease(key);
    const next = await turnOf(there, again(key));
    await slow.keep(completionOf("late"));
    assert.deepEqual(log.events(), ["idempotent_turn_lost"]);
    const outcome = completionOf("two");
    await next.keep(outcome);
    assert.deepEqual(await here.begin(again(key), never), outcome);

    const released = newKey();
    const first = await turnOf(here, released);
    await endLease(released);
    const second = await turnOf(there, again(released));
    await first.release();
    assert.ok((await rowOf(released)).lease_until);
    await second.release();
    assert.equal(await rowOf(released), undefined);
  });

  it("goes on holding a turn for longer than a lease, however many there are", async () => {
    const [pool] = pools();
    const holder = createIdempotentCalls({ pool: Promise.resolve(pool), log, clock: systemClock, leaseMs: 1500 });
    try {
      const keys = Array.from({ length: 20 }, () => newKey());
      const turns = await Promise.all(keys.map((key) => turnOf(holder, key)));
      await pause(2500);
      const alive = "SELECT count(*) FROM idempotent_calls WHERE idempotency_key = ANY ($1) AND lease_until > now()";
      const { rows } = await pool.query(alive, [keys.map(({ key }) => key)]);
      assert.equal(rows[0].count, "20");
      await Promise.all(turns.map((turn) => turn.release()));
    } finally {
      await holder.close();
    }
  });

  it("forgets an outcome after 24 hours: the key may then be another request's", async () => {
    const key = newKey();
    await (await turnOf(here, key)).keep(completionOf("old"));
    const { started_at, expires_at } = await rowOf(key);
    assert.ok(Math.abs(expires_at - started_at - 24 * 3_600_000) < 5, `${started_at} to ${expires_at}`);
    await expire(key);
    const next = await turnOf(there, { ...again(key), requestHash: hashOf("b") });
    assert.equal(next.isTakenOver, false);
    const row = await rowOf(key);
    assert.deepEqual([row.outcome, row.outcome_kind], [null, null]);
    await next.release();
  });

  it("leaves nothing behind of a caller that stops waiting, and tells it why at once", async () => {
    const key = newKey();
    const turn = await turnOf(here, key);
    const leaving = new AbortController();
    const waiting = there.begin(again(key), leaving.signal);
    setTimeout(() => leaving.abort(new Error("the caller left")), 80);
    await assert.rejects(waiting, /the caller left/);
    assert.equal((await rowOf(key)).call_id, key.callId);
    await turn.release();
    assert.equal(await rowOf(key), undefined);
  });

  it("takes nothing for a caller that left, and takes back what it got too late", async () => {
    const key = newKey();
    await assert.rejects(here.begin(key, AbortSignal.abort(new Error("left before"))), /left before/);
    const leaving = new AbortController();
    const taking = here.begin(key, leaving.signal);
    leaving.abort(new Error("left meanwhile"));
    await assert.rejects(taking, /left meanwhile/);
    await here.close();
    // Whoever asks now waits for the row to go, if it is still there.
    await (await turnOf(there, again(key))).release();
    assert.equal(await rowOf(key), undefined);
  });

  it("frees the key where the outcome is too large to keep", async () => {
    const key = newKey();
    await (await turnOf(here, key)).keep(completionOf("x".repeat(MAX_OUTCOME_BYTES)));
    assert.deepEqual(log.events(), ["idempotent_outcome_not_kept"]);
    assert.equal(await rowOf(key), undefined);

    const large = newKey();
    const outcome = completionOf("x".repeat(MAX_OUTCOME_BYTES - 1000));
    await (await turnOf(here, large)).keep(outcome);
    assert.deepEqual(await there.begin(again(large), never), outcome);
  });

  it("does not take an outcome that it cannot read for none", async () => {
    const key = newKey();
    await (await turnOf(here, key)).keep(completionOf("one"));
    await set(key, "outcome_kind = 'FROM_TOMORROW'");
    assert.equal((await failureOf(here.begin(again(key), never))).reason, "STORE_UNAVAILABLE");
    assert.deepEqual(log.events(), ["idempotent_outcome_unreadable"]);
  });

  it("lets in no text that the database refuses, and does not take it for an outage", async () => {
    const key = newKey({ key: "a\u0000b" });
    await assert.rejects(here.begin(key, never), (error) => !(error instanceof SluiceError));
    assert.deepEqual(log.events(), []);
    await (await turnOf(here, newKey())).release();
  });

  it("removes what has expired and nothing else, by many processes at once", async () => {
    const [pool] = pools();
    await pool.query("TRUNCATE idempotent_calls");
    await pool.query(`
      INSERT INTO idempotent_calls (tenant, idempotency_key, request_hash, call_id, started_at, expires_at, lease_until)
      SELECT 'acme', n::text, '', 'c', now(), now() + (n - 1200) * interval '1 minute', now()
      FROM generate_series(1, 1300) AS n`);
    // A clock whose sleeps end soon: the sweeper's minute is over at once.
    const sweepers = pools().map((swept) => {
      const clock = {
        ...systemClock,
        sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms / 1000, signal),
      };
      return createIdempotentCalls({ pool: Promise.resolve(swept), log, clock });
    });
    const count = async () => Number((await pool.query("SELECT count(*) FROM idempotent_calls")).rows[0].count);
    while ((await count()) > 100) await pause(20);
    await pause(200);
    await Promise.all(sweepers.map((sweeper) => sweeper.close()));
    assert.equal(await count(), 100);
    assert.deepEqual(log.events(), []);
  });
}
