import type { Clock } from "../../core/clock.ts";
import type { ModelLimits } from "../../core/model.ts";

/** The weight of the newest request in the average duration. */
const NEWEST_WEIGHT = 0.2;

/** A place among the requests under way. */
export interface Slot {
  /** A request has ended: the slot goes to whoever waits longest. Later calls do nothing. */
  free(): void;
  /** The same for a slot that was not used, which says nothing about how long requests take. */
  passOn(): void;
}

/** At most so many requests under way, and a bounded queue, first in, first out, for a place among them. */
export class Slots {
  readonly #clock: Clock;
  readonly #limits: ModelLimits;
  /** When each request under way began, the oldest first. */
  readonly #startedMs = new Map<Slot, number>();
  readonly #queue = new Set<(slot: Slot) => void>();
  #averageMs: number | undefined;

  constructor(clock: Clock, limits: ModelLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#startedMs.size;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** A slot, if one is free. Nobody is overtaken: while somebody waits, none is. */
  take(): Slot | undefined {
    return this.inFlight < this.#limits.maxConcurrency ? this.#occupy() : undefined;
  }

  /** Whether the queue takes another call that has so much time left. */
  hasRoom(remainingMs: number): boolean {
    return this.queued < this.#limits.maxQueue && (this.turnAfterMs() ?? 0) < remainingMs;
  }

  /** Waits for a slot at the end of the queue. Rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#queue.delete(give);
        reject(signal.reason);
      };
      const give = (slot: Slot) => {
        signal.removeEventListener("abort", onAbort);
        resolve(slot);
      };
      this.#queue.add(give);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /**
   * When a call that comes now would have its turn, if every request takes as long as they do on average: those that
   * began first end first. Undefined where nothing is known yet.
   */
  turnAfterMs(): number | undefined {
    if (this.#averageMs === undefined || this.inFlight === 0) return undefined;
    const rounds = Math.floor(this.queued / this.inFlight);
    const startedMs = [...this.#startedMs.values()][this.queued % this.inFlight] ?? 0;
    const ageMs = this.#clock.monotonicMs() - startedMs;
    return Math.max(0, this.#averageMs - ageMs) + rounds * this.#averageMs;
  }

  #occupy(): Slot {
    const slot: Slot = {
      free: () => {
        this.#learn(slot);
        this.#passOn(slot);
      },
      passOn: () => this.#passOn(slot),
    };
    this.#startedMs.set(slot, this.#clock.monotonicMs());
    return slot;
  }

  #learn(slot: Slot): void {
    const startedMs = this.#startedMs.get(slot);
    if (startedMs === undefined) return;
    const tookMs = this.#clock.monotonicMs() - startedMs;
    this.#averageMs ??= tookMs;
    this.#averageMs += (tookMs - this.#averageMs) * NEWEST_WEIGHT;
  }

  #passOn(slot: Slot): void {
    if (!this.#startedMs.delete(slot)) return;
    const [next] = this.#queue;
    if (next === undefined) return;
    this.#queue.delete(next);
    next(this.#occupy());
  }
}
