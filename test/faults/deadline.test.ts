import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { completion, failure, type Script, streamed } from "../support/scripted-upstream.ts";
import { type BenchSettings, jsonInput, textInput, tracesOf, withBench } from "./fault-bench.ts";
import type { CallFailure } from "./grpc-calls.ts";
import type { Method } from "./play-scenario.ts";
import type { Input } from "./scenario-input.ts";

interface Place {
  readonly during: string;
  readonly script: Script;
  readonly settings?: BenchSettings;
  readonly input?: Input;
}

const places: readonly Place[] = [
  { during: "the wait for the first byte", script: { action: "hang" } },
  { during: "the connecting", script: { action: "hang" }, settings: { tls: true } },
  {
    during: "the correction of a malformed answer",
    script: [completion('{"name":4}'), { action: "hang" }],
    input: jsonInput(),
  },
];

/** Long enough that the service's own word on it, which it gives the fortieth part of it, comes before its last resort. */
const DEADLINE_MS = 2_000;

/** Each runs as a unary call and as a stream, side by side, each with a service of its own: most of it is waiting. */
const both = (test: (method: Method) => Promise<void>) => () =>
  Promise.all((["complete", "stream"] as const).map(test));

describe("a deadline", () => {
  for (const { during, script, settings = {}, input = textInput() } of places) {
    it(
      `that ends during ${during} is told by the service, with the stage, before the caller's timer`,
      both((method) =>
        withBench(script, settings, async (bench) => {
          const { failure: told, totalMs } = await bench.caller[method](input, { deadlineMs: DEADLINE_MS });
          checkTold(told);
          assert.ok(totalMs < DEADLINE_MS, `told after ${totalMs} ms`);
          const [traces] = await tracesOf(bench, 1);
          assert.equal(traces?.call.error_reason, "DEADLINE_EXCEEDED");
          assert.equal(traces.logLine.fields.error_reason, "DEADLINE_EXCEEDED");
          const requests = bench.upstream.calls.length;
          await bench.upstream.calls.at(-1)?.closed;
          assert.equal(bench.upstream.calls.length, requests, "no request comes later");
        }),
      ),
    );
  }

  it(
    "that ends before a turn in the queue is told with the stage, and no request is sent",
    both((method) => {
      const script = { ...streamed(["Bodø."]), delay_ms: DEADLINE_MS + 300 };
      return withBench(script, { provider: { max_concurrency: 1 } }, async ({ caller, upstream }) => {
        const holder = caller[method](textInput());
        await upstream.received(1);
        checkTold((await caller[method](textInput(), { deadlineMs: DEADLINE_MS })).failure);
        assert.equal(upstream.calls.length, 1);
        assert.equal((await holder).completion?.text, "Bodø.");
      });
    }),
  );

  it(
    "below the wait that the provider tells fails at once, with the true wait",
    both((method) => {
      const script = failure(429, { message: "slow down", code: "rate_limit_exceeded" }, { "retry-after": "5" });
      return withBench(script, {}, async ({ caller, upstream }) => {
        const { failure: told, totalMs } = await caller[method](textInput(), { deadlineMs: 3_000 });
        assert.equal(told?.reason, "RATE_LIMITED");
        assert.ok(Number(told.retryAfterMs) > 4_000 && Number(told.retryAfterMs) <= 6_000, String(told.retryAfterMs));
        assert.ok(totalMs < 2_000, `told after ${totalMs} ms`);
        assert.equal(upstream.calls.length, 1);
      });
    }),
  );
});

function checkTold(told: CallFailure | undefined): void {
  assert.equal(told?.reason, "DEADLINE_EXCEEDED");
  assert.equal(told.code, status.DEADLINE_EXCEEDED);
  assert.match(told.detailText, /"stage":"STAGE_CALL_MODEL"/);
}
