import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type { CallResult } from "../faults/grpc-calls.ts";
import type { TestDatabase } from "../support/postgres-server.ts";
import { chunk, events, failure } from "../support/scripted-upstream.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { tier } from "../support/tiers.ts";
import { completed } from "./checks.ts";
import { eventually } from "./eventually.ts";
import { ask, type Member, type Method, useFleet } from "./fleet.ts";
import { answer, PRICE_NANO_USD, type Question, slowAnswer } from "./provider.ts";

const CALLS_EACH = 25;
const UNDER_WAY_MS = 300;
const TEXT = "The harbour lies open to the north.";
const PIECE = "a piece of the answer, ";

const kinds: readonly [string, (index: number) => Method][] = [
  ["unary calls", () => "complete"],
  ["streams", () => "stream"],
  ["calls and streams", (index) => (index % 2 === 0 ? "complete" : "stream")],
];

tier("postgres", (postgres) => {
  describe("an idempotency key over two processes", function () {
    this.timeout(60_000);
    let database: TestDatabase;
    let proxy: TcpProxy;
    const fleet = useFleet(async () => {
      database = await postgres.createDatabase();
      const url = new URL(database.url);
      proxy = await startTcpProxy(Number(url.port || 5432), url.hostname);
      url.hostname = "127.0.0.1";
      url.port = String(proxy.port);
      // Without Redis, and nothing kept in memory: what is repeated here comes from Postgres.
      return { database_url: url.href, cache: { memory_mb: 0 } };
    });
    /** A process that was just started, or lost its database, needs a moment. */
    const reachesDatabase = async () => {
      const { provider, members } = fleet();
      for (const member of members) {
        await eventually(async () => {
          const { completion } = await withKey(member, "complete", provider.question(answer(TEXT)), randomUUID());
          return completion;
        });
      }
    };
    before("waits for the database", reachesDatabase);
    after(async () => {
      await proxy.close();
      await database.drop();
    });

    for (const [name, method] of kinds) {
      it(`pays once for ${2 * CALLS_EACH} ${name} with it at once`, async () => {
        const { provider, members } = fleet();
        const question = provider.question(answer(TEXT));
        const key = randomUUID();
        const results = await Promise.all(members.flatMap((member) => many(member, question, key, method)));
        checkOneFirst(results, TEXT);
        assert.equal(question.calls.length, 1);
      });

      it(`makes ${name} wait for the first one that is under way elsewhere`, async () => {
        const { provider, pair } = fleet();
        const [holder, other] = pair();
        const question = provider.question(slowAnswer(PIECE, 20, 50));
        const key = randomUUID();
        const first = withKey(holder, "stream", question, key);
        await question.received(1);
        await pause(UNDER_WAY_MS);
        checkOneFirst(await Promise.all([first, ...many(other, question, key, method)]), PIECE.repeat(20));
        assert.equal(question.calls.length, 1);
      });
    }

    // It takes as long as a silent process is believed to be alive.
    it("lets one of those who wait go on when the process of the first is killed", async () => {
      const { provider, pair } = fleet();
      const [holder, other] = pair();
      const question = provider.question(slowAnswer(PIECE, 40, 50), answer(TEXT));
      const key = randomUUID();
      const first = withKey(holder, "stream", question, key);
      await question.received(1);
      const waiting = many(other, question, key, (index) => (index % 2 === 0 ? "complete" : "stream"));
      await pause(UNDER_WAY_MS);
      await holder.stop("SIGKILL");
      assert.equal((await first).failure?.code, status.UNAVAILABLE);
      const payer = checkOneFirst(await Promise.all(waiting), TEXT);
      assert.deepEqual(
        payer.attempts.map(({ cause }) => cause),
        [AttemptCause.TAKEOVER],
      );
      assert.equal(question.calls.length, 2);
      await fleet().restore();
      await reachesDatabase();
    });

    it("is a conflict with another request, wherever that was made, and nothing is paid", async () => {
      const { provider, pair } = fleet();
      const [first, second] = pair();
      const key = randomUUID();
      completed(await withKey(first, "complete", provider.question(answer(TEXT)), key), TEXT);
      for (const method of ["complete", "stream"] as const) {
        const another = provider.question(answer(TEXT));
        const { failure: refused } = await withKey(second, method, another, key);
        assert.equal(refused?.code, status.ALREADY_EXISTS);
        assert.equal(refused.reason, "IDEMPOTENCY_CONFLICT");
        assert.equal(another.calls.length, 0);
      }
    });

    it("is not shared with calls that have another key, or none", async () => {
      const { provider, pair } = fleet();
      const [first] = pair();
      const question = provider.question(answer(TEXT));
      for (const key of [randomUUID(), randomUUID(), ""]) {
        const completion = completed(await withKey(first, "complete", question, key), TEXT);
        assert.equal(completion.cacheStatus, CacheStatus.MISS);
      }
      assert.equal(question.calls.length, 3);
    });

    const passing = {
      "a fault of the provider": failure(503, { message: "overloaded" }),
      "an answer that was cut": events([chunk({ content: "The harb" })], { end: "reset" }),
    };
    for (const [name, step] of Object.entries(passing)) {
      it(`is free again after ${name}`, async () => {
        const { provider, pair } = fleet();
        const [first, second] = pair();
        const question = provider.question(step, answer(TEXT));
        const key = randomUUID();
        assert.equal((await withKey(first, "complete", question, key)).failure?.code, status.UNAVAILABLE);
        checkOneFirst([await withKey(second, "complete", question, key)], TEXT);
        assert.equal(question.calls.length, 2);
      });
    }

    it("repeats a failure that would only be paid again", async () => {
      const { provider, pair } = fleet();
      const [first, second] = pair();
      const question = provider.question(answer("no JSON at all"));
      const key = randomUUID();
      const json = { output: { format: { case: "json" as const, value: { schema: '{"type":"object"}' } } } };
      const failed = await withKey(first, "complete", question, key, json);
      assert.equal(failed.failure?.reason, "PARSE_FAILURE", failed.failure?.detailText);
      const paid = question.calls.length;
      for (const method of ["complete", "stream"] as const) {
        assert.equal((await withKey(second, method, question, key, json)).failure?.reason, "PARSE_FAILURE");
      }
      assert.equal(question.calls.length, paid);
    });

    it("is refused while Postgres is away, nothing is paid, and calls without one go on", async () => {
      const { provider, members } = fleet();
      proxy.refuse();
      proxy.cut();
      const question = provider.question(answer(TEXT));
      const key = randomUUID();
      try {
        for (const member of members) {
          for (const method of ["complete", "stream"] as const) {
            const { failure: refused } = await withKey(member, method, question, key);
            assert.equal(refused?.code, status.UNAVAILABLE, refused?.detailText);
            assert.equal(refused.reason, "STORE_UNAVAILABLE");
          }
        }
        assert.equal(question.calls.length, 0);
        for (const member of members) completed(await withKey(member, "complete", question, ""), TEXT);
      } finally {
        await proxy.accept();
      }
      const paid = question.calls.length;
      for (const member of members) {
        await eventually(async () => (await withKey(member, "complete", question, key)).completion);
      }
      assert.equal(question.calls.length, paid + 1);
    });
  });
});

function withKey(
  member: Member,
  method: Method,
  question: Question,
  idempotencyKey: string,
  more: Parameters<Question["input"]>[0] = {},
): Promise<CallResult> {
  return ask(member, method, question, { more: { ...more, idempotencyKey } });
}

function many(member: Member, question: Question, key: string, method: (index: number) => Method) {
  return Array.from({ length: CALLS_EACH }, (_, index) => withKey(member, method(index), question, key));
}

/** All have the text; one of them paid, the others repeat it. Gives the one that paid. */
function checkOneFirst(results: readonly CallResult[], text: string): Completion {
  const completions = results.map((result) => completed(result, text));
  const [first, ...others] = completions.toSorted((a, b) => b.attempts.length - a.attempts.length);
  assert.equal(first?.costNanoUsd, PRICE_NANO_USD);
  assert.equal(first.cacheStatus, CacheStatus.MISS);
  for (const { cacheStatus, costNanoUsd, attempts } of others) {
    assert.ok(
      cacheStatus === CacheStatus.REPLAYED || cacheStatus === CacheStatus.JOINED,
      `cache status ${cacheStatus}`,
    );
    assert.equal(costNanoUsd, 0n);
    assert.equal(attempts.length, 0);
  }
  return first;
}
