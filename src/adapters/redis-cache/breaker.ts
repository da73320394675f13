import type { Clock } from "../../core/clock.ts";

/** This many failures in a row open the breaker. */
export const FAILURES_TO_OPEN = 5;
/** How long it stays open before one operation may try. */
export const OPEN_MS = 1_000;

export interface Breaker {
  /** Whether an operation may run now. Whoever got `true` reports `succeeded` or `failed`, if it knows. */
  allows(): boolean;
  /** What `allows` would say, without the promise to run one. */
  wouldAllow(): boolean;
  isOpen(): boolean;
  succeeded(): void;
  failed(): void;
}

/**
 * Keeps a dependency that does not answer from costing its timeout on every call. Five failures in a row open it for a
 * second; then one operation tries at a time, until one succeeds. `onChange` is told when it opens and closes.
 */
export function createBreaker(clock: Clock, onChange: (open: boolean) => void): Breaker {
  let failures = 0;
  let retryAtMs = 0;
  const isOpen = () => failures >= FAILURES_TO_OPEN;
  const wouldAllow = () => !isOpen() || clock.monotonicMs() >= retryAtMs;
  return {
    isOpen,
    wouldAllow,
    allows() {
      if (!wouldAllow()) return false;
      // The next try waits for this one's outcome, or as long again if none comes.
      if (isOpen()) retryAtMs = clock.monotonicMs() + OPEN_MS;
      return true;
    },
    succeeded() {
      if (isOpen()) onChange(false);
      failures = 0;
    },
    failed() {
      failures++;
      retryAtMs = clock.monotonicMs() + OPEN_MS;
      if (failures === FAILURES_TO_OPEN) onChange(true);
    },
  };
}
