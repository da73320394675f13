import type { Clock } from "./clock.ts";

/** The budget of a whole call: queue, every attempt, every wait. One value, handed through every stage. */
export interface Deadline {
  /** Milliseconds left; never negative. */
  remainingMs(): number;
}

/**
 * The deadline of one call. The margin is kept so that our own error, which says the stage and the attempts, reaches
 * the caller before the caller's timer ends the call without them: a twentieth of the timeout, at most 100 ms.
 */
export function deadlineAfter(clock: Clock, timeoutMs: number): Deadline {
  const margin = Math.min(timeoutMs / 20, 100);
  const end = clock.monotonicMs() + timeoutMs - margin;
  return { remainingMs: () => Math.max(0, end - clock.monotonicMs()) };
}
