import type { Clock } from "./clock.ts";

/** The budget of a whole call: queue, every attempt, every wait. One value, handed through every stage. */
export interface Deadline {
  /** Milliseconds left; never negative. */
  remainingMs(): number;
}

/**
 * The deadline of one call. The margin is kept so that our own error, which says the stage and the attempts, reaches
 * the caller before the caller's timer ends the call without them: a tenth of the timeout, at most 250 ms.
 */
export function deadlineAfter(clock: Clock, timeoutMs: number): Deadline {
  const margin = Math.min(timeoutMs / 10, 250);
  const end = clock.monotonicMs() + timeoutMs - margin;
  return { remainingMs: () => Math.max(0, end - clock.monotonicMs()) };
}
