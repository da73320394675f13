import type { Clock } from "../../src/core/clock.ts";

/** A clock whose sleeps end at once and move it; it remembers how long each was asked to be. */
export interface FakeClock extends Clock {
  readonly sleeps: number[];
  advance(ms: number): void;
}

export function fakeClock(random: () => number = () => 0): FakeClock {
  let nowMs = Date.UTC(2026, 0, 1);
  const sleeps: number[] = [];
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return {
    sleeps,
    advance,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    random,
    async sleep(delayMs, signal) {
      signal.throwIfAborted();
      sleeps.push(delayMs);
      advance(delayMs);
    },
  };
}
