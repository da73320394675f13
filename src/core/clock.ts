/** Time and chance, the only things besides the paid model that tests replace. */
export interface Clock {
  /** Wall time in milliseconds since 1970. It may jump. */
  nowMs(): number;
  /** Time that only goes forward, in milliseconds with a fraction. */
  monotonicMs(): number;
  /** Resolves after `delay_ms`, at most 2^31-1 (longer delays are cut to it); rejects with the signal's reason at once. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Calls back after the delay unless it is called off: `sleep` for what seldom comes true. Optional; see `after`. */
  after?(delayMs: number, callback: () => void): CallOff;
  /** A number from 0 up to, not including, 1. */
  random(): number;
}

/** Does nothing once it was called back. */
export type CallOff = () => void;

/** Calls back after the delay unless it is called off. Where the clock has no way of its own, by its `sleep`. */
export function after(clock: Clock, delayMs: number, callback: () => void): CallOff {
  if (clock.after) return clock.after(delayMs, callback);
  const controller = new AbortController();
  clock.sleep(delayMs, controller.signal).then(callback, () => {});
  return () => controller.abort("called off");
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
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
