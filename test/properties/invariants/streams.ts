import assert from "node:assert/strict";
import type { JsonPart } from "../../../gen/sluice/v1/pipeline_service_pb.ts";
import { RestartCause } from "../../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Observation, SeenCaller } from "../observation.ts";

/** `Started` first and once; then either one `Finished`, last, or an error, or the reader left of its own will. */
export function streamsEndOnce({ callers }: Observation): void {
  for (const caller of callers) {
    assert.ok(caller.settled, `${caller.id} has no end`);
    if (caller.plan.method === "Complete") {
      assert.ok((caller.completion !== undefined) !== (caller.failure !== undefined), `${caller.id} has no one answer`);
      continue;
    }
    const cases = caller.events.map(({ event }) => event.case);
    const finished = cases.filter((name) => name === "finished").length;
    const ends = finished + (caller.failure ? 1 : 0) + (caller.hasStopped ? 1 : 0);
    assert.equal(ends, 1, `${caller.id} ended ${ends} times: ${cases.join(" ")}`);
    if (cases.length > 0) assert.equal(cases[0], "started", `${caller.id} begins with ${cases[0]}`);
    assert.ok(cases.filter((name) => name === "started").length <= 1, `${caller.id} started twice`);
    if (finished) assert.equal(cases.at(-1), "finished", `${caller.id} goes on after its end`);
  }
}

/** What a client shows that follows the rules is the final text. */
export function deltasMakeTheText({ callers }: Observation): void {
  for (const caller of streamsOf(callers)) {
    if (!caller.completion) continue;
    let shown = "";
    for (const { event } of caller.events) {
      if (event.case === "restarted") shown = "";
      if (event.case === "textDelta") shown += event.value.text;
    }
    assert.equal(shown, caller.completion.text, `${caller.id} shows another text than it got`);
  }
}

/** Deltas are numbered from 1 without a gap; none is empty. */
export function sequenceHasNoGaps({ callers }: Observation): void {
  for (const caller of streamsOf(callers)) {
    const deltas = caller.events.flatMap(({ event }) => (event.case === "textDelta" ? [event.value] : []));
    for (const [index, { sequenceNumber, text }] of deltas.entries()) {
      assert.equal(sequenceNumber, BigInt(index + 1), `${caller.id} skips a number`);
      assert.notEqual(text, "", `${caller.id} got an empty delta`);
      assert.ok(text.isWellFormed(), `${caller.id} got half a character`);
    }
  }
}

/** Only what needs it is repaired: a clean answer is shown as it comes, and not once more at its end. */
export function cleanAnswersAreNotRepaired({ callers, attempts }: Observation): void {
  for (const caller of streamsOf(callers)) {
    const { completion, events } = caller;
    const origin = attempts.find(
      ({ request, outcome }) =>
        outcome.fault !== "wrapped_json" && completion?.text.includes(`${request.callId}#${request.attempt}.`),
    );
    const last = events.findLast(({ event }) => event.case === "restarted")?.event;
    const isRepaired = last?.case === "restarted" && last.value.cause === RestartCause.REPAIR;
    if (origin) assert.equal(isRepaired, false, `${caller.id} was shown a clean answer twice`);
  }
}

/** A restart is sent where something was shown, and the last one names the model whose answer is shown instead. */
export function restartsSayWhatFollows({ callers }: Observation): void {
  for (const caller of streamsOf(callers)) {
    let shown = false;
    let last: { readonly model: string; readonly cause: RestartCause } | undefined;
    for (const { event } of caller.events) {
      if (event.case === "textDelta") shown = true;
      if (event.case !== "restarted") continue;
      assert.ok(shown || last, `${caller.id} restarts what has not begun`);
      assert.notEqual(event.value.cause, RestartCause.UNSPECIFIED, `${caller.id} restarts without a cause`);
      last = event.value;
    }
    if (last && caller.completion)
      assert.equal(last.model, caller.completion.model, `${caller.id} restarted elsewhere`);
  }
}

/** Parts since the last restart are values of the final answer, each at its place. */
export function partsAgreeWithTheAnswer({ callers }: Observation): void {
  for (const caller of streamsOf(callers)) {
    if (!caller.completion) continue;
    let parts: JsonPart[] = [];
    for (const { event } of caller.events) {
      if (event.case === "restarted") parts = [];
      if (event.case === "jsonPart") parts.push(event.value);
    }
    if (parts.length === 0) continue;
    const answer: unknown = JSON.parse(caller.completion.text);
    for (const { pointer, text } of parts) {
      assert.deepEqual(JSON.parse(text), valueAt(answer, pointer), `${caller.id}: the part ${pointer}`);
    }
  }
}

function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const step of pointer.split("/").slice(1)) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Object.entries(at).find(([name]) => name === step.replaceAll("~1", "/").replaceAll("~0", "~"))?.[1];
  }
  return at;
}

function streamsOf(callers: readonly SeenCaller[]): SeenCaller[] {
  return callers.filter(({ plan }) => plan.method === "StreamComplete");
}
