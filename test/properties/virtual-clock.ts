import type { Clock } from "../../src/core/clock.ts";

const WALL_START_MS = Date.UTC(2026, 0, 1);
const LONGEST_SLEEP_MS = 2 ** 31 - 1;
const MOST_EVENTS = 20_000;

/** A sleep that somebody under test asked for. */
export interface Sleep {
  readonly begunMs: number;
  readonly delayMs: number;
  /** Counts what happens in a run, so that what falls on the same millisecond has an order. */
  readonly order: number;
  state: "pending" | "over" | "aborted";
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** Nothing can happen any more, and what was waited for has not ended. */
export class HangError extends Error {
  constructor() {
    super("nothing is left to run, and not everything has ended");
    this.name = "HangError";
  }
}

/**
 * Time that stands still until nothing else can run, then jumps to whatever is due next. What is due at the same
 * millisecond happens in the order in which it was asked for, with everything that follows from one before the next.
 */
export class VirtualClock implements Clock {
  readonly random: () => number;
  /** All sleeps of the code under test. Those of the test's own actors go through `pause`. */
  readonly sleeps: Sleep[] = [];
  readonly #due: Due[] = [];
  #atMs = 0;
  #wallShiftMs = 0;
  #order = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  monotonicMs(): number {
    return this.#atMs;
  }

  nowMs(): number {
    return WALL_START_MS + this.#wallShiftMs + Math.floor(this.#atMs);
  }

  /** The next place in the order of what happens. */
  tick(): number {
    this.#order += 1;
    return this.#order;
  }

  /** Sets the wall clock forwards or backwards; monotonic time does not notice. */
  shiftWall(ms: number): void {
    this.#wallShiftMs += ms;
  }

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    if (Number.isNaN(delayMs)) throw new Error("asked to sleep for NaN milliseconds");
    const sleep: Sleep = { begunMs: this.#atMs, delayMs, order: this.tick(), state: "pending" };
    this.sleeps.push(sleep);
    return this.pause(delayMs, signal).then(
      () => {
        sleep.state = "over";
      },
      (reason: unknown) => {
        sleep.state = "aborted";
        throw reason;
      },
    );
  }

  /** A sleep of the test's own actors. */
  pause(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(Math.min(Math.max(delayMs, 0), LONGEST_SLEEP_MS), () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Does something later, at the same moment at the earliest. Returns what takes it back. */
  after(delayMs: number, act: () => void): () => void {
    const due: Due = { atMs: this.#atMs + delayMs, order: this.tick(), act };
    let at = this.#due.length;
    while (at > 0 && isLater(this.#due[at - 1], due)) at -= 1;
    this.#due.splice(at, 0, due);
    return () => {
      const place = this.#due.indexOf(due);
      if (place >= 0) this.#due.splice(place, 1);
    };
  }

  /**
   * Lets time pass until the work has ended.
   * @throws HangError when nothing is left that could end it; Error when it goes on for ever.
   */
  async runUntil(work: Promise<unknown>): Promise<void> {
    let ended = false;
    const onEnd = () => {
      ended = true;
    };
    work.then(onEnd, onEnd);
    for (let events = 0; ; events += 1) {
      await settle();
      if (ended) return;
      const next = this.#due.shift();
      if (!next) throw new HangError();
      if (events > MOST_EVENTS) throw new Error(`still not at its end after ${MOST_EVENTS} events`);
      this.#atMs = Math.max(this.#atMs, next.atMs);
      next.act();
    }
  }

  /** Sleeps that nobody has ended. */
  pendingSleeps(): readonly Sleep[] {
    return this.sleeps.filter((sleep) => sleep.state === "pending");
  }
}

function isLater(other: Due | undefined, due: Due): boolean {
  return other !== undefined && other.atMs > due.atMs;
}

/** Resolves when everything that can run without time passing has run. */
export async function settle(): Promise<void> {
  // Promises run dry before the first; what was itself put off to an immediate runs dry before the second.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}
