import assert from "node:assert/strict";
import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import type { Clock } from "../../../src/core/clock.ts";
import type { EmbeddingAnswer, EmbeddingRequest } from "../../../src/core/embedding.ts";
import type { UpstreamErrorFields } from "../../../src/core/model.ts";
import { embedTexts } from "../../../src/pipeline/embed.ts";
import { fakeClock } from "../../support/clock.ts";
import { scriptedEndpoint } from "../../support/embedding-models.ts";
import { startScriptedEmbeddings } from "../../support/scripted-embeddings.ts";
import { embeddingTarget, embedPorts, faultyEndpoint, heldEndpoint, jobOf } from "./fixture.ts";

const overloaded: UpstreamErrorFields = { kind: "overloaded", httpStatus: 503 };
const left = { message: "the caller left" };
/** A clock that stands still until it is moved. */
function steppedClock() {
  let nowMs = 0;
  const sleepers = new Set<{ readonly endMs: number; readonly wake: () => void }>();
  const clock: Clock = {
    ...fakeClock(),
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.add({ endMs: nowMs + ms, wake: resolve });
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  const advance = (ms: number) => {
    nowMs += ms;
    for (const { endMs, wake } of sleepers) if (endMs <= nowMs) wake();
  };
  return { ...clock, advance };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a caller who leaves", () => {
  it("leaves at once, and the batch goes on for the others", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const [leaver, stayer] = [jobOf(ports, ["a b c"]), jobOf(ports, ["d"])];
    const deferred: Promise<void>[] = [];
    const leaving = embedTexts(ports, { ...leaver, defer: (ended) => void deferred.push(ended) });
    const staying = embedTexts(ports, stayer);
    const request = await endpoint.request(0);
    leaver.leave();
    await assert.rejects(leaving, left);
    assert.deepEqual([request.signal.aborted, deferred.length], [false, 1]);
    assert.deepEqual(leaver.charges.total().attempts, []);
    request.answer(8);
    await staying;
    await deferred[0];
    const paid = [leaver, stayer].map(({ charges }) => charges.total().usage.promptTokens);
    assert.deepEqual(paid, [6n, 2n]);
    // What was paid for is there for whoever asks next.
    assert.deepEqual((await embedTexts(ports, jobOf(ports, ["a b c"]))).statuses, [CacheStatus.MEMORY_HIT]);
  });

  it("as the last stops the request, and what it may have cost is charged", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const jobs = [jobOf(ports, ["a b c"]), jobOf(ports, ["d"])];
    const both = jobs.map((job) => embedTexts(ports, job));
    const request = await endpoint.request(0);
    for (const job of jobs) job.leave();
    for (const one of both) await assert.rejects(one, left);
    assert.equal(request.signal.aborted, true);
    // The first one left while the request still went on for the second.
    await turn();
    const ends = jobs.map(({ charges }) => charges.total().attempts.map((attempt) => attempt.usage?.promptTokens));
    assert.deepEqual([ends, jobs[1]?.charges.total().usage.estimated], [[[3n], [1n]], true]);
    assert.equal(ports.embedBatches.size, 0);
  });

  it("as the last closes the connection to the provider", async () => {
    const upstream = await startScriptedEmbeddings();
    try {
      const letGo = upstream.hold();
      const endpoint = {
        async embed({ texts }: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingAnswer> {
          const body = JSON.stringify({ model: "words-1", input: texts });
          await fetch(`${upstream.baseUrl}/embeddings`, { method: "POST", body, signal });
          return assert.fail("nobody waited for an answer");
        },
      };
      const ports = embedPorts(embeddingTarget({ endpoint }));
      const jobs = [jobOf(ports, ["a"]), jobOf(ports, ["b"])];
      const both = jobs.map((job) => embedTexts(ports, job));
      await upstream.received(1);
      assert.equal(upstream.openConnections, 1);
      for (const job of jobs) job.leave();
      for (const one of both) await assert.rejects(one, left);
      while (upstream.openConnections > 0) await turn();
      letGo();
    } finally {
      await upstream.close();
    }
  });

  it("before anything is sent costs nothing", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const job = jobOf(ports, ["a"]);
    const waiting = embedTexts(ports, job);
    job.leave();
    await assert.rejects(waiting, left);
    await assert.rejects(embedTexts(ports, job), left);
    await turn();
    assert.deepEqual([endpoint.requests.length, ports.records.length, ports.embedBatches.size], [0, 0, 0]);
  });

  it("does not take the text away from those who joined it, who pay for what is tried after that", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const [first, second] = [jobOf(ports, ["a"]), jobOf(ports, ["a"])];
    const leaving = embedTexts(ports, first);
    const staying = embedTexts(ports, second);
    const request = await endpoint.request(0);
    first.leave();
    await assert.rejects(leaving, left);
    request.fail(overloaded);
    (await endpoint.request(1)).answer();
    assert.deepEqual((await staying).statuses, [CacheStatus.MISS]);
    const causes = [first, second].map(({ charges }) => charges.total().attempts.map(({ cause }) => cause));
    assert.deepEqual(causes, [[AttemptCause.FIRST], [AttemptCause.RETRY]]);
  });
});

describe("a batch that fails for a while", () => {
  it("is tried again, and each attempt is charged", async () => {
    const endpoint = faultyEndpoint((_, index) => (index < 2 ? overloaded : undefined));
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const job = jobOf(ports, ["a b"]);
    await embedTexts(ports, job);
    const attempts = job.charges.total().attempts.map(({ number, cause, httpStatus }) => [number, cause, httpStatus]);
    const { FIRST, RETRY } = AttemptCause;
    assert.deepEqual(attempts, [
      [1, FIRST, 503],
      [2, RETRY, 503],
      [3, RETRY, 200],
    ]);
    assert.deepEqual(
      endpoint.requests.map(({ callId, attempt }) => `${callId}-${attempt}`),
      [1, 2, 3].map((number) => `${job.call.id}-${number}`),
    );
  });

  it("fails with all attempts when they are used up", async () => {
    const endpoint = faultyEndpoint(() => overloaded);
    const ports = embedPorts(embeddingTarget({ endpoint }), { maxAttempts: 3 });
    await assert.rejects(embedTexts(ports, jobOf(ports, ["a"])), (error: { failure?: unknown }) => {
      const { failure } = error as { failure: { reason: string; attempts: unknown[] } };
      assert.deepEqual([failure.reason, failure.attempts.length], ["MODEL_UNAVAILABLE", 3]);
      return true;
    });
    assert.deepEqual([endpoint.requests.length, ports.embedBatches.size], [3, 0]);
  });

  it("waits as it is told, and whoever has less time is told at once", async () => {
    const endpoint = heldEndpoint();
    const clock = steppedClock();
    const ports = embedPorts(embeddingTarget({ endpoint }), { clock, coalesceMs: 0 });
    const hasty = jobOf(ports, ["a"], { call: { deadline: { remainingMs: () => 50 } } });
    const patient = jobOf(ports, ["b"]);
    const [soon, later] = [embedTexts(ports, hasty), embedTexts(ports, patient)];
    const [one, other] = [await endpoint.request(0), await endpoint.request(1)];
    one.answer();
    await soon;
    const hastyToo = jobOf(ports, ["b"], { call: { deadline: { remainingMs: () => 50 } } });
    const joined = embedTexts(ports, hastyToo);
    other.fail({ kind: "rate_limited", httpStatus: 429, waitMs: 80 });
    await assert.rejects(joined, (error: unknown) => {
      const { failure } = error as { failure: { reason: string; retryAfterMs: number } };
      assert.deepEqual([failure.reason, failure.retryAfterMs], ["RATE_LIMITED", 80]);
      return true;
    });
    // Whoever comes now waits too, and is told where it has no time for that.
    const late = embedTexts(ports, jobOf(ports, ["b"], { call: { deadline: { remainingMs: () => 1 } } }));
    await assert.rejects(late, { message: "RATE_LIMITED" });
    clock.advance(79);
    await turn();
    assert.equal(endpoint.requests.length, 2);
    clock.advance(10);
    (await endpoint.request(2)).answer();
    assert.deepEqual((await later).statuses, [CacheStatus.MISS]);
  });

  it("does not wait longer than the operator allows", async () => {
    const endpoint = faultyEndpoint(() => ({ kind: "rate_limited", httpStatus: 429, waitMs: 31_000 }));
    const ports = embedPorts(embeddingTarget({ endpoint }));
    await assert.rejects(embedTexts(ports, jobOf(ports, ["a"])), { message: "RATE_LIMITED" });
    assert.equal(endpoint.requests.length, 1);
  });

  it("opens the circuit, and calls that come then are told without a request", async () => {
    const endpoint = faultyEndpoint(() => overloaded);
    const ports = embedPorts(embeddingTarget({ endpoint }), { maxAttempts: 1 });
    const asked = async (text: string) => embedTexts(ports, jobOf(ports, [text])).catch((error) => error.failure);
    for (let index = 0; index < 40; index += 1) await asked(`text ${index}`);
    assert.equal(ports.gates.state(embeddingTarget())?.circuit, "open");
    const sent = endpoint.requests.length;
    const failure = await asked("one more");
    assert.deepEqual([failure.reason, failure.attempts, endpoint.requests.length], ["MODEL_UNAVAILABLE", [], sent]);
    assert.ok(failure.retryAfterMs > 0);
  });

  it("is asked for once more where it answered with no vectors", async () => {
    const fields = { kind: "bad_vectors", httpStatus: 200, violations: [], usage: undefined } as const;
    const { usage: _, ...bad } = fields;
    const once = faultyEndpoint((_request, index) => (index === 0 ? bad : undefined));
    const ports = embedPorts(embeddingTarget({ endpoint: once }));
    await embedTexts(ports, jobOf(ports, ["a"]));
    assert.equal(once.requests.length, 2);
    const always = faultyEndpoint(() => bad);
    const others = embedPorts(embeddingTarget({ endpoint: always }));
    const job = jobOf(others, ["a", "b c"]);
    await assert.rejects(embedTexts(others, job), { message: "PARSE_FAILURE" });
    // Answers were made, so they may have to be paid for.
    assert.deepEqual([always.requests.length, job.charges.total().usage.promptTokens], [2, 6n]);
    assert.deepEqual(others.vectors.get([], { deadline: job.deadline }) instanceof Promise, true);
  });

  it("is asked for by halves where no vectors came for the text of another call", async () => {
    const endpoint = faultyEndpoint(({ texts }) =>
      texts.includes("bad") ? { kind: "bad_vectors", httpStatus: 200 } : undefined,
    );
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const [bad, good] = [embedTexts(ports, jobOf(ports, ["bad"])), embedTexts(ports, jobOf(ports, ["good"]))];
    await assert.rejects(bad, { message: "PARSE_FAILURE" });
    assert.deepEqual((await good).statuses, [CacheStatus.MISS]);
  });

  it("is not asked for again where the dimension is another", async () => {
    const endpoint = faultyEndpoint(() => ({ kind: "wrong_dimension", httpStatus: 200 }));
    const ports = embedPorts(embeddingTarget({ endpoint }));
    await assert.rejects(embedTexts(ports, jobOf(ports, ["a", "b"])), { message: "PROVIDER_MISCONFIGURED" });
    assert.equal(endpoint.requests.length, 1);
    assert.equal(ports.lines.filter(({ event }) => event === "attempt_failed").length, 1);
  });

  it("tells a bug to everyone who waits, and leaves nothing behind", async () => {
    const endpoint = { embed: () => Promise.reject(new TypeError("a bug")) };
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const jobs = [jobOf(ports, ["a"]), jobOf(ports, ["b"])];
    for (const one of jobs.map((job) => embedTexts(ports, job))) await assert.rejects(one, TypeError);
    const ends = jobs.map(({ charges }) => charges.total().attempts.length);
    assert.deepEqual([ends, ports.embedBatches.size], [[1, 1], 0]);
  });
});
