import assert from "node:assert/strict";
import type { Observation, UpstreamAttempt } from "../observation.ts";
import { labelOf } from "./attempts.ts";

/** One told wait keeps everybody away for at most so long; longer ones are found out again. */
const LONGEST_SHARED_WAIT_MS = 60_000;

/** The call that was told a wait asks the same model again no sooner. */
export function toldWaitsAreKept({ attempts }: Observation): void {
  for (const [index, attempt] of attempts.entries()) {
    const waitMs = waited.has(attempt.kind) ? attempt.toldMs : undefined;
    const next = attempts.slice(index + 1).find(({ caller }) => caller === attempt.caller);
    if (waitMs === undefined || !attempt.over || next?.model !== attempt.model) continue;
    const gapMs = next.begun.ms - attempt.over.ms;
    assert.ok(gapMs >= waitMs, `${labelOf(next)} came ${gapMs} ms after a told wait of ${waitMs} ms`);
  }
}

/** So does everybody else who asks that model. */
export function toldWaitsAreShared({ attempts, plan }: Observation): void {
  for (const attempt of attempts) {
    if (attempt.model.synthetic || !isSharedWait(attempt) || !attempt.over) continue;
    const untilMs = attempt.over.ms + Math.min(attempt.toldMs ?? 0, LONGEST_SHARED_WAIT_MS);
    // What was let through before is sent when its start is in the ledger.
    const sentMs = attempt.over.ms + plan.ledgerMs;
    for (const later of attempts) {
      const isLater = later.model === attempt.model && later.begun.order > attempt.over.order;
      if (!isLater || later.begun.ms <= sentMs) continue;
      assert.ok(
        later.begun.ms >= untilMs,
        `${labelOf(later)} began at ${later.begun.ms} ms; ${labelOf(attempt)} was told to wait until ${untilMs} ms`,
      );
    }
  }
}

/** A sleep is begun only when somebody who waits has the time for it. */
export function noSleepOutlivesTheDeadline({ sleeps, callers }: Observation): void {
  for (const sleep of sleeps) {
    const present = callers.filter(({ arrived, settled, aborted }) => {
      const gone = aborted ?? settled;
      return arrived.order < sleep.order && (!gone || gone.order > sleep.order);
    });
    // Whoever leaves while the cache is asked leaves work behind that is given up before it has begun.
    if (present.length === 0 && sleep.state === "aborted") continue;
    const endMs = sleep.begunMs + sleep.delayMs;
    const latestMs = Math.max(...present.map(({ deadlineMs }) => deadlineMs));
    assert.ok(
      endMs <= latestMs,
      `a sleep at ${sleep.begunMs} ms until ${endMs} ms; the last deadline is ${latestMs} ms`,
    );
  }
}

/** Between two attempts that fail for their own reasons there is a pause: at least half of the first backoff. */
export function retriesBackOff({ attempts, plan }: Observation): void {
  for (const [index, attempt] of attempts.entries()) {
    const next = attempts.slice(index + 1).find(({ caller }) => caller === attempt.caller);
    const { kind, outcome, over } = attempt;
    if ((kind !== "overloaded" && kind !== "unreachable") || outcome.waitMs !== undefined || outcome.retry) continue;
    if (!over || next?.model !== attempt.model) continue;
    const leastMs = Math.min(plan.retry.backoffBaseMs, plan.retry.backoffMaxMs) / 2;
    const gapMs = next.begun.ms - over.ms;
    assert.ok(gapMs >= leastMs, `${labelOf(next)} came ${gapMs} ms after an overload; the backoff is ${leastMs} ms`);
  }
}

const waited: ReadonlySet<string | undefined> = new Set([
  "rate_limited",
  "overloaded",
  "unreachable",
  "stream_interrupted",
  "empty_answer",
  "unknown",
]);

/** The wait of a window or of a server, which concerns whoever asks. */
function isSharedWait({ kind, outcome }: UpstreamAttempt): boolean {
  if (kind === "unknown") return outcome.httpStatus === 429 || outcome.httpStatus === 503;
  return kind === "rate_limited" || kind === "overloaded";
}
