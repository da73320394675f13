import assert from "node:assert/strict";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type { CallResult } from "../faults/grpc-calls.ts";
import { PRICE_NANO_USD } from "./provider.ts";

/** The completion of a call that succeeded with this text, by all that it sent. */
export function completed(result: CallResult, text: string): Completion {
  const { completion, failure, events } = result;
  assert.ok(completion, failure?.detailText);
  assert.equal(completion.text, text);
  if (events.length > 0) assert.equal(streamedText(result), text, "the deltas are the text");
  return completion;
}

/** Every call succeeded with this text, one of them paid for it, and the others say what they saved. */
export function checkOnePaid(results: readonly CallResult[], text: string): void {
  const completions = results.map((result) => completed(result, text));
  const paid = completions.filter(({ cacheStatus }) => cacheStatus === CacheStatus.MISS);
  assert.equal(paid.length, 1, "one call pays");
  assert.equal(paid[0]?.costNanoUsd, PRICE_NANO_USD);
  for (const completion of completions) if (completion !== paid[0]) checkUnpaid(completion);
}

const unpaidStatuses: readonly CacheStatus[] = [CacheStatus.MEMORY_HIT, CacheStatus.SHARED_HIT, CacheStatus.JOINED];

/** The completion was another call's work. */
export function checkUnpaid(completion: Completion): void {
  const { cacheStatus, costNanoUsd, savedNanoUsd, attempts } = completion;
  assert.ok(unpaidStatuses.includes(cacheStatus), `cache status ${cacheStatus}`);
  assert.equal(costNanoUsd, 0n);
  assert.equal(savedNanoUsd, PRICE_NANO_USD);
  assert.equal(attempts.length, 0);
}

/** The deltas since the last restart. */
function streamedText({ events }: CallResult): string {
  let text = "";
  for (const { event } of events) {
    if (event.case === "restarted") text = "";
    if (event.case === "textDelta") text += event.value.text;
  }
  return text;
}
