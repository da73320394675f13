import assert from "node:assert/strict";
import { judge } from "./assertions.ts";
import type { CallResult } from "./grpc-calls.ts";
import type { Observation } from "./observation.ts";
import { checkFailure, outcomesOf } from "./outcome.ts";
import type { Bounds, Expectation } from "./scenario.ts";

/** What a clock may be late: the upstream notes the end of a response after its last byte is on the way. */
const CLOCK_TOLERANCE_MS = 20;

/** Everything that a scenario expects, and what holds of every call. Throws for the first that does not hold. */
export function checkExpectations(seen: Observation, expect: Expectation): void {
  assert.equal(seen.faults.join("\n"), "", "faults in the service's log");
  for (const result of seen.results) {
    checkOutcome(result, expect);
    checkBounds(result.totalMs, expect.total_ms, "the call took ms");
    checkStream(result);
  }
  checkBounds(seen.received.length, expect.calls, "requests");
  for (const gap of expect.gaps_ms ?? []) {
    const min = Math.max(0, (gap.min ?? 0) - CLOCK_TOLERANCE_MS);
    checkBounds(gapAfter(seen, gap.after_call), { ...gap, min }, `ms after response ${gap.after_call}`);
  }
  for (const assertion of expect.assert ?? []) judge(seen, assertion);
}

function checkOutcome(result: CallResult, { outcome, outcome_any, value }: Expectation): void {
  const wanted = outcome === undefined ? (outcome_any ?? []) : [outcome];
  const outcomes = outcomesOf(result);
  const said = result.failure?.detailText ?? "";
  assert.ok(wanted.length > 0, "the scenario expects no outcome");
  assert.ok(
    outcomes.some((name) => wanted.includes(name)),
    `${outcomes.join(" or ")}, expected ${wanted.join(" or ")}; ${said}`,
  );
  if (result.failure) checkFailure(result.failure);
  if (!result.completion || value === undefined) return;
  assert.deepEqual(JSON.parse(result.completion.text), value);
}

/** A stream begins once, ends once, and what it sent since it last began anew is the answer. */
function checkStream({ events, completion, failure }: CallResult): void {
  const kinds = events.map(({ event }) => event.case);
  if (kinds.length === 0) return;
  assert.equal(kinds.filter((kind) => kind === "started").length, 1, "one start");
  assert.equal(kinds[0], "started");
  assert.equal(kinds.filter((kind) => kind === "finished").length, failure ? 0 : 1, "one end");
  if (!completion) return;
  assert.equal(kinds.at(-1), "finished");
  const deltas = events.slice(kinds.lastIndexOf("restarted") + 1).map(({ event }) => event);
  const text = deltas.map((event) => (event.case === "textDelta" ? event.value.text : "")).join("");
  assert.equal(text, completion.text, "the deltas since the last restart");
}

function gapAfter({ received }: Observation, number: number): number {
  const before = received[number - 1];
  const after = received[number];
  if (!before || !after) throw new Error(`there was no request ${number + 1}`);
  return after.startedAt - (before.endedAt ?? before.closedAt ?? before.startedAt);
}

function checkBounds(value: number, { min = 0, max = Infinity }: Bounds = {}, what: string): void {
  assert.ok(value >= min && value <= max, `${what}: ${value}, expected ${min} to ${max}`);
}
