import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { chunk, events, failure } from "../support/scripted-upstream.ts";
import { tier } from "../support/tiers.ts";
import { checkOnePaid, checkUnpaid, completed } from "./checks.ts";
import { eventually } from "./eventually.ts";
import { ask, type Member, type Method, useFleet } from "./fleet.ts";
import { answer, PRICE_NANO_USD, type Question, slowAnswer } from "./provider.ts";

const CALLS_EACH = 100;
const FOLLOWERS = 10;

/** Callers elsewhere need a moment to be under way. Should one come later, what must hold for it is the same. */
const UNDER_WAY_MS = 300;

/** An answer that takes two seconds. */
const PIECE = "a piece of the answer, ";
const slowly = slowAnswer(PIECE, 40, 50);
const SLOW_TEXT = PIECE.repeat(40);

const unary = (): Method => "complete";
const streams = (): Method => "stream";
const mixed = (index: number): Method => (index % 2 === 0 ? "complete" : "stream");
const kinds = Object.entries({ "unary calls": unary, streams, "calls and streams": mixed });

tier("redis", (redis) => {
  describe("one flight over two processes", function () {
    this.timeout(60_000);
    const fleet = useFleet(async () => ({ redis_url: await redis.url() }));
    afterEach("replaces processes that were killed", () => fleet().restore());

    const askMany = (member: Member, question: Question, count: number, method: (index: number) => Method) =>
      Array.from({ length: count }, (_, index) => ask(member, method(index), question));

    for (const [name, method] of kinds) {
      it(`pays once for ${2 * CALLS_EACH} identical ${name} at once`, async () => {
        const { provider, members } = fleet();
        const question = provider.question(answer("The harbour lies open to the north."));
        const results = await Promise.all(members.flatMap((member) => askMany(member, question, CALLS_EACH, method)));
        assert.equal(results.length, 2 * CALLS_EACH);
        checkOnePaid(results, "The harbour lies open to the north.");
        assert.equal(question.calls.length, 1);
      });

      it(`gives ${name} that come while another process is in the midst of its answer that answer`, async () => {
        const { provider, pair } = fleet();
        const [leader, other] = pair();
        const question = provider.question(slowAnswer(PIECE, 20, 50));
        const leading = askMany(leader, question, 2, method);
        await inMidAnswer(question);
        const following = askMany(other, question, FOLLOWERS, method);
        checkOnePaid(await Promise.all([...leading, ...following]), PIECE.repeat(20));
        assert.equal(question.calls.length, 1);
      });

      it(`gives ${name} a whole answer whose leading process is killed in mid-stream`, async () => {
        const { provider, pair } = fleet();
        const [leader, other] = pair();
        const question = provider.question(slowly, answer("The harbour, told anew."));
        const led = ask(leader, "stream", question);
        await inMidAnswer(question);
        const following = askMany(other, question, FOLLOWERS, method);
        await pause(UNDER_WAY_MS);
        await leader.stop("SIGKILL");
        assert.equal((await led).failure?.code, status.UNAVAILABLE);
        await checkTakenOver(other, following, "The harbour, told anew.");
        assert.equal(question.calls.length, 2, "the dead one's and one more");
      });
    }

    it("keeps its place for an answer that takes longer than a process is believed to be alive", async () => {
      const { provider, pair } = fleet();
      const [leader, other] = pair();
      const question = provider.question(slowAnswer(PIECE, 45, 100));
      const leading = ask(leader, "stream", question);
      await inMidAnswer(question);
      const following = askMany(other, question, FOLLOWERS, mixed);
      checkOnePaid(await Promise.all([leading, ...following]), PIECE.repeat(45));
      assert.equal(question.calls.length, 1);
    });

    it("goes on without a process that stands still, whose own callers get their answer when it wakes", async () => {
      const { provider, pair } = fleet();
      const [leader, other] = pair();
      const question = provider.question(slowly, answer("The harbour, told anew."));
      const led = ask(leader, "stream", question);
      await inMidAnswer(question);
      signal(leader, "SIGSTOP");
      try {
        const following = askMany(other, question, FOLLOWERS, mixed);
        await checkTakenOver(other, following, "The harbour, told anew.");
      } finally {
        signal(leader, "SIGCONT");
      }
      // It paid for its own, and cannot have known that it was given up for dead.
      completed(await led, SLOW_TEXT);
      assert.equal(question.calls.length, 2);
      for (const member of fleet().pair()) {
        const again = await ask(member, "complete", question);
        assert.ok(again.completion, again.failure?.detailText);
        checkUnpaid(again.completion);
      }
      assert.equal(question.calls.length, 2, "either answer is kept");
    });

    it("answers followers elsewhere when every caller of the leading process leaves", async () => {
      const { provider, pair } = fleet();
      const [leader, other] = pair();
      const question = provider.question(slowly, answer("The harbour, told anew."));
      const leaving = new AbortController();
      const led = ask(leader, "stream", question, { signal: leaving.signal });
      await question.received(1);
      const following = askMany(other, question, FOLLOWERS, mixed);
      await pause(UNDER_WAY_MS);
      leaving.abort();
      assert.equal((await led).failure?.code, status.CANCELLED);
      const texts = (await Promise.all(following)).map((result) => result.completion?.text ?? result.failure);
      assert.equal(new Set(texts).size, 1, "one answer for all");
      assert.ok(texts[0] === "The harbour, told anew." || texts[0] === SLOW_TEXT, String(texts[0]));
      assert.ok(question.calls.length <= 2, "at most one payment more");
    });

    it("goes on for the callers of the leading process who stay", async () => {
      const { provider, pair } = fleet();
      const [leader, other] = pair();
      const question = provider.question(slowly);
      const leaving = new AbortController();
      const led = ask(leader, "stream", question, { signal: leaving.signal });
      await question.received(1);
      const staying = ask(leader, "complete", question);
      const following = askMany(other, question, FOLLOWERS, mixed);
      await pause(UNDER_WAY_MS);
      leaving.abort();
      assert.equal((await led).failure?.code, status.CANCELLED);
      for (const result of await Promise.all([staying, ...following])) checkUnpaid(completed(result, SLOW_TEXT));
      assert.equal(question.calls.length, 1);
    });

    describe("an error of the leading call", () => {
      const partly = events([chunk({ content: "The harb" })], { end: "hang" });

      it("is not told to others where it is its caller's deadline", async () => {
        const { provider, pair } = fleet();
        const [leader, other] = pair();
        const question = provider.question(partly, answer("In time."));
        const led = ask(leader, "complete", question, { deadlineMs: 1_000 });
        await question.received(1);
        const following = askMany(other, question, FOLLOWERS, mixed);
        assert.equal((await led).failure?.code, status.DEADLINE_EXCEEDED);
        await checkAnswered(following, "In time.");
        assert.ok(question.calls.length <= 2);
      });

      const failures = {
        "a rate limit": failure(429, { message: "slow down", code: "rate_limit_exceeded" }),
        "a fault of the provider": failure(500, { message: "oops" }),
        "an answer that was cut": events([chunk({ content: "The harb" })], { end: "reset" }),
      };
      for (const [name, step] of Object.entries(failures)) {
        it(`is not told to others elsewhere where it is ${name}, who ask for themselves`, async () => {
          const { provider, pair } = fleet();
          const [leader, other] = pair();
          const question = provider.question({ ...step, delay_ms: 500 }, answer("At the second try."));
          const led = ask(leader, "complete", question);
          await question.received(1);
          const following = askMany(other, question, FOLLOWERS, mixed);
          const { failure: told } = await led;
          assert.ok(told?.code === status.UNAVAILABLE || told?.code === status.RESOURCE_EXHAUSTED, told?.detailText);
          await checkAnswered(following, "At the second try.");
          assert.equal(question.calls.length, 2, "one call more, for all of them");
        });
      }

      it("keeps nothing: the next call asks again", async () => {
        const { provider, pair } = fleet();
        const [leader, other] = pair();
        const question = provider.question(failure(400, { message: "no" }), answer("At the second try."));
        assert.ok((await ask(leader, "complete", question)).failure);
        const next = completed(await ask(other, "complete", question), "At the second try.");
        assert.equal(next.cacheStatus, CacheStatus.MISS);
      });
    });

    it("shares nothing of calls that bypass the cache", async () => {
      const { members, provider } = fleet();
      const question = provider.question(slowAnswer("Alone. ", 3, 50));
      const results = await Promise.all(
        members.map((member) => ask(member, "complete", question, { more: { cache: { mode: CacheMode.BYPASS } } })),
      );
      for (const result of results)
        assert.equal(completed(result, "Alone. ".repeat(3)).cacheStatus, CacheStatus.BYPASSED);
      assert.equal(question.calls.length, members.length);
    });
  });
});

/** The first pieces of the answer have gone out. */
async function inMidAnswer(question: Question): Promise<void> {
  await question.received(1);
  await pause(UNDER_WAY_MS);
}

/** All have the answer of a second payment, by one of them, which says whose place it took. */
async function checkTakenOver(member: Member, calls: readonly ReturnType<typeof ask>[], text: string): Promise<void> {
  const completions = (await Promise.all(calls)).map((result) => completed(result, text));
  const [paid, ...others] = completions.toSorted((a, b) => b.attempts.length - a.attempts.length);
  assert.deepEqual(
    paid?.attempts.map(({ cause }) => cause),
    [AttemptCause.TAKEOVER],
  );
  assert.equal(paid?.costNanoUsd, PRICE_NANO_USD);
  for (const completion of others) checkUnpaid(completion);
  await eventually(() => (member.server.output().includes('"cache_leader_lost"') ? true : undefined));
}

/** All have the text. Whoever made it anew did not take the first one for dead. */
async function checkAnswered(calls: readonly ReturnType<typeof ask>[], text: string): Promise<void> {
  for (const result of await Promise.all(calls)) {
    for (const { cause } of completed(result, text).attempts) assert.equal(cause, AttemptCause.FIRST);
  }
}

function signal({ server }: Member, name: NodeJS.Signals): void {
  assert.ok(server.pid);
  process.kill(server.pid, name);
}
