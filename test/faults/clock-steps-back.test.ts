import assert from "node:assert/strict";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { completion, failure, streamed } from "../support/scripted-upstream.ts";
import { textInput, tracesOf, withBench } from "./fault-bench.ts";

const HOUR_MS = 3_600_000;

/** Wall time that is an hour earlier each time somebody looks; only what goes forward goes forward. */
function steppingClock(): Clock {
  let looks = 0;
  return { ...systemClock, nowMs: () => Date.now() - HOUR_MS * looks++ };
}

const cached = textInput({ cache: { mode: CacheMode.DEFAULT, ttlSeconds: 60 } });

describe("a wall clock that steps back an hour again and again", () => {
  it("neither shortens nor lengthens the wait that a provider tells", () => {
    const script = [failure(429, { message: "slow down", code: "rate_limit_exceeded" }, { "retry-after": "1" })];
    return withBench([...script, completion("Bodø.")], { clock: steppingClock() }, async (bench) => {
      const { completion: answer, totalMs } = await bench.caller.complete(textInput());
      assert.equal(answer?.text, "Bodø.");
      assert.ok(totalMs >= 990 && totalMs < 5_000, `took ${totalMs} ms`);
      const [traces] = await tracesOf(bench, 1);
      checkTimes(Object.values(traces?.call.stage_ms ?? {}).concat(Number(traces?.call.latency_ms)));
      for (const { latencyMs, waitMs } of answer.attempts) checkTimes([Number(latencyMs), Number(waitMs)]);
      checkTimes(
        Object.values(answer.timings ?? {}).flatMap((value) => (typeof value === "object" ? seconds(value) : [])),
      );
    });
  });

  it("neither keeps an answer for ever nor forgets it before its time", () =>
    withBench(streamed(["Bodø."]), { clock: steppingClock() }, async ({ caller, upstream }) => {
      const statuses = [];
      for (let turn = 0; turn < 3; turn += 1) statuses.push((await caller.stream(cached)).completion?.cacheStatus);
      assert.deepEqual(statuses, [CacheStatus.MISS, CacheStatus.MEMORY_HIT, CacheStatus.MEMORY_HIT]);
      assert.equal(upstream.calls.length, 1);
    }));

  it("leaves deadlines as they are", () =>
    withBench({ action: "hang" }, { clock: steppingClock() }, async (bench) => {
      const { failure: told, totalMs } = await bench.caller.complete(textInput(), { deadlineMs: 600 });
      assert.equal(told?.reason, "DEADLINE_EXCEEDED");
      assert.ok(totalMs >= 300 && totalMs < 600, `took ${totalMs} ms`);
      const [traces] = await tracesOf(bench, 1);
      checkTimes([Number(traces?.call.latency_ms), ...(traces?.attempts ?? []).map(({ latency_ms }) => latency_ms)]);
      const { started_at = "", finished_at = "" } = traces?.call ?? {};
      assert.ok(started_at <= finished_at, `a row that ends before it begins: ${started_at}, ${finished_at}`);
    }));
});

/** No time is negative, and none is of the size of a step. */
function checkTimes(times: readonly number[]): void {
  assert.ok(times.length > 0);
  for (const ms of times) assert.ok(ms >= 0 && ms < 60_000, `${ms} ms`);
}

function seconds(value: object | undefined): number[] {
  return value && "seconds" in value ? [Number(value.seconds)] : [];
}
