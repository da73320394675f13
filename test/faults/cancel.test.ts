import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import {
  chunk,
  completion,
  events,
  failure,
  type Script,
  type ScriptedUpstream,
  streamed,
} from "../support/scripted-upstream.ts";
import { type Bench, type BenchSettings, jsonInput, textInput, tracesOf, until, withBench } from "./fault-bench.ts";
import type { Method } from "./play-scenario.ts";
import type { Input } from "./scenario-input.ts";

/** The aim is 50 ms; a busy machine may need more to notice. */
const CLOSE_LIMIT_MS = 250;
/** Longer than any wait that a case leaves behind, so that a request that still comes is seen. */
const LATER_MS = 500;

const slowest = { ms: 0, where: "" };

/** Where a call is when its caller leaves. */
interface Place {
  readonly during: string;
  readonly script: Script;
  readonly settings?: BenchSettings;
  readonly input?: Input;
  /** Resolves when the call is there. */
  arrived(upstream: ScriptedUpstream): Promise<unknown>;
  /** Requests that the upstream has got by then, and ever gets. */
  readonly requests: number;
  /** Attempts whose start was recorded. Default: as many. */
  readonly attempts?: number;
  /** Completion tokens of all attempts: text that came before the caller left is estimated. */
  readonly answered?: boolean;
}

const waitingRetry = { backoff_base_ms: 800, backoff_max_ms: 800 };
const partly = events([chunk({ content: "Hammerfest, Vard" }), chunk({ content: "ø, Kirkenes and" })], { end: "hang" });

const places: readonly Place[] = [
  {
    during: "the wait that the provider told",
    script: failure(429, { message: "slow down", code: "rate_limit_exceeded" }, { "retry-after": "1" }),
    arrived: (upstream) => answered(upstream, 1),
    requests: 1,
  },
  {
    during: "the backoff",
    script: failure(500, { message: "oops" }),
    settings: { retry: waitingRetry },
    arrived: (upstream) => answered(upstream, 1),
    requests: 1,
  },
  {
    during: "the connecting",
    script: { action: "hang" },
    settings: { tls: true },
    arrived: (upstream) => until(() => upstream.openConnections || undefined),
    requests: 0,
    attempts: 1,
  },
  {
    during: "the wait for the first byte",
    script: { action: "hang" },
    arrived: (upstream) => upstream.received(1),
    requests: 1,
  },
  {
    during: "the headers",
    script: { ...streamed(["x"]), drip_headers: { bytes: 10, every_ms: 200 } },
    arrived: (upstream) => upstream.received(1),
    requests: 1,
  },
  {
    during: "the body",
    script: partly,
    arrived: (upstream) => answered(upstream, 1),
    requests: 1,
    answered: true,
  },
  {
    during: "the correction of a malformed answer",
    script: [completion('{"name":4}'), { action: "hang" }],
    input: jsonInput(),
    arrived: (upstream) => upstream.received(2),
    requests: 2,
    answered: true,
  },
];

describe("a caller who leaves", function () {
  this.timeout(30_000);

  for (const method of ["complete", "stream"] as const) {
    describe(method === "complete" ? "a unary call" : "a stream", () => {
      for (const place of places) {
        it(`during ${place.during}: the socket closes, no request follows, what was spent is charged`, () =>
          withBench(place.script, place.settings ?? {}, (bench) => leaves(bench, place, method)));
      }

      it("during the queue for a slot: no request is sent, and who holds the slot goes on", () =>
        withBench(
          [{ ...streamed(["Bodø."]), delay_ms: 400 }, streamed(["Tromsø."])],
          { provider: { max_concurrency: 1 } },
          async (bench) => {
            const { upstream, caller } = bench;
            const holder = caller[method](textInput());
            await upstream.received(1);
            const leaving = new AbortController();
            const queued = caller[method](textInput(), { signal: leaving.signal });
            await pause(100);
            leaving.abort();
            assert.equal((await queued).failure?.code, status.CANCELLED);
            assert.equal((await holder).completion?.text, "Bodø.");
            const [left, held] = await tracesOf(bench, 2);
            assert.equal(left?.call.error_reason, "CANCELLED");
            assert.equal(left.call.attempts, 0);
            assert.equal(left.call.cost_nano_usd, "0");
            assert.equal(held?.call.error_reason, "");
            // The slot is free again, and nobody who left takes it.
            assert.equal((await caller[method](textInput())).completion?.text, "Tromsø.");
            assert.equal(upstream.calls.length, 2);
          },
        ));

      it("while others wait for the same answer: they get it, and the one who left pays", () =>
        withBench({ ...streamed(["Bodø."]), delay_ms: 400 }, {}, async (bench) => {
          const { upstream, caller } = bench;
          const shared = textInput({ cache: { mode: CacheMode.DEFAULT } });
          const leaving = new AbortController();
          const first = caller[method](shared, { signal: leaving.signal });
          await upstream.received(1);
          const second = caller[method](shared);
          await pause(100);
          leaving.abort();
          assert.equal((await first).failure?.code, status.CANCELLED);
          const { completion: answer } = await second;
          assert.equal(answer?.text, "Bodø.");
          assert.equal(answer.costNanoUsd, 0n);
          assert.equal(upstream.calls.length, 1);
          const traces = await tracesOf(bench, 2);
          const payer = traces.find(({ call }) => call.error_reason === "CANCELLED");
          assert.equal(payer?.call.cost_nano_usd, String(310 + 24 * 1_000));
          assert.equal(payer.call.usage_estimated, false);
        }));

      it("during the drain: the socket closes and the service ends clean", () =>
        withBench({ action: "hang" }, {}, async (bench) => {
          const { upstream, caller, service } = bench;
          const leaving = new AbortController();
          const call = caller[method](textInput(), { signal: leaving.signal });
          await upstream.received(1);
          const stopped = service.stop();
          await pause(50);
          leaving.abort();
          assert.equal((await call).failure?.code, status.CANCELLED);
          assert.deepEqual(await stopped, { clean: true });
          await upstream.calls[0]?.closed;
        }));
    });
  }

  after(() => console.log(`    slowest close after the caller left: ${slowest.ms.toFixed(1)} ms (${slowest.where})`));
});

async function leaves(bench: Bench, place: Place, method: Method): Promise<void> {
  const { upstream, caller } = bench;
  const { requests, attempts = requests } = place;
  const leaving = new AbortController();
  const call = caller[method](place.input ?? textInput(), { signal: leaving.signal });
  await place.arrived(upstream);
  const leftAt = performance.now();
  leaving.abort();
  await allClosed(upstream, requests);
  const closedMs = performance.now() - leftAt;
  if (closedMs > slowest.ms) Object.assign(slowest, { ms: closedMs, where: `${method}, ${place.during}` });
  assert.ok(closedMs <= CLOSE_LIMIT_MS, `closed after ${closedMs} ms`);
  assert.equal((await call).failure?.code, status.CANCELLED);

  const [traces] = await tracesOf(bench, 1);
  assert.ok(traces);
  assert.equal(traces.call.error_reason, "CANCELLED");
  assert.equal(Object.keys(traces.call.stage_ms).at(-1), "call_model", "the stage that was reached");
  assert.equal(traces.logLine.fields.error_reason, "CANCELLED");
  assert.deepEqual(traces.logLine.fields.stage_ms, traces.call.stage_ms);
  assert.equal(traces.attempts.length, attempts, "every attempt that was begun has its end");
  assert.equal(traces.call.attempts, attempts);
  checkCharge(traces, place);

  await pause(LATER_MS);
  assert.equal(upstream.calls.length, requests, "no request comes later");
  assert.deepEqual(
    bench.service.log.filter(({ level }) => level === "error"),
    [],
  );
}

/** What reached the model is charged, by our own count where it did not report one. */
function checkCharge({ call, attempts }: Awaited<ReturnType<typeof tracesOf>>[number], place: Place): void {
  const sum = (pick: (attempt: (typeof attempts)[number]) => number) =>
    attempts.reduce((total, attempt) => total + pick(attempt), 0);
  assert.equal(
    call.prompt_tokens,
    sum(({ prompt_tokens }) => prompt_tokens),
  );
  assert.equal(
    call.completion_tokens,
    sum(({ completion_tokens }) => completion_tokens),
  );
  assert.equal(call.cost_nano_usd, String(call.prompt_tokens + 1_000 * call.completion_tokens));
  assert.equal(call.completion_tokens > 0, place.answered ?? false, "what was answered is charged");
  const last = attempts.at(-1);
  if (last?.error_reason !== "CANCELLED") return;
  assert.equal(last.usage_estimated, true);
  if (place.requests > 0) assert.ok(last.prompt_tokens > 0, "the prompt is charged");
}

/** The upstream has written all it will of its answer to that request. */
async function answered(upstream: ScriptedUpstream, number: number): Promise<void> {
  await until(() => upstream.calls[number - 1]?.endedAt);
  // The last bytes are on the way to the service.
  await pause(50);
}

/** Requests that were answered in full may keep their connection; those under way may not. */
async function allClosed(upstream: ScriptedUpstream, requests: number): Promise<void> {
  const last = upstream.calls[requests - 1];
  if (!last) await until(() => upstream.openConnections === 0 || undefined);
  else if (last.endedAt === undefined || upstream.openConnections > 0) await last.closed;
}
