import { performance } from "node:perf_hooks";

/** Streams are spread over so many ticks of a period, so that they do not all write in the same moment. */
const SLOTS = 10;

/**
 * One timer for all streams of a server. Each stream has a slot and is called once in a period. A server that is late
 * runs its ticks as soon as it can; what is later than a whole period is left out, so that no stream is rushed.
 */
export class Metronome {
  readonly #slots: (() => void)[][] = Array.from({ length: SLOTS }, () => []);
  readonly #tickMs: number;
  #joined = 0;
  #tick = 0;
  #dueMs = performance.now();

  /** @param perSecond how often each stream is called. */
  constructor(perSecond: number) {
    this.#tickMs = 1000 / perSecond / SLOTS;
    this.#schedule();
  }

  /** A slot for a new stream. */
  join(): number {
    this.#joined += 1;
    return this.#joined % SLOTS;
  }

  /** Calls once, at the next tick of the slot. */
  wait(slot: number, resume: () => void): void {
    this.#slots[slot]?.push(resume);
  }

  #schedule(): void {
    const nowMs = performance.now();
    this.#dueMs = Math.max(this.#dueMs + this.#tickMs, nowMs - this.#tickMs * SLOTS);
    setTimeout(() => this.#run(), Math.max(0, this.#dueMs - nowMs));
  }

  #run(): void {
    const slot = this.#tick % SLOTS;
    this.#tick += 1;
    const waiting = this.#slots[slot] ?? [];
    this.#slots[slot] = [];
    for (const resume of waiting) resume();
    this.#schedule();
  }
}
