/** Time and chance, the only things besides the paid model that tests replace. */
export interface Clock {
  /** Wall time in milliseconds since 1970. It may jump. */
  nowMs(): number;
  /** Time that only goes forward, in milliseconds with a fraction. */
  monotonicMs(): number;
  /** Resolves after `delay_ms`, at most 2^31-1 (longer delays are cut to it); rejects with the signal's reason at once. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
  /** A number from 0 up to, not including, 1. */
  random(): number;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
        Math.min(Math.max(delayMs, 0), MAX_TIMER_MS),
      );
      signal.addEventListener("abort", onAbort, { once: true });
    });
  },
};
