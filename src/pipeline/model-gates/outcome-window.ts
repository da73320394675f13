import type { Clock } from "../../core/clock.ts";

/** How far back outcomes are counted. */
const WINDOW_SECONDS = 30;
/** With fewer outcomes than this a share says nothing. */
const MIN_OUTCOMES = 10;
/** From this share of failures on a model counts as down. */
const FAILED_SHARE = 0.5;

interface Bucket {
  readonly second: number;
  answered: number;
  failed: number;
}

/** Outcomes of the last 30 s, counted by the second: 30 buckets at most, however many outcomes there are. */
export class OutcomeWindow {
  readonly #clock: Clock;
  #buckets: Bucket[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(outcome: "answered" | "failed"): void {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    const last = this.#buckets.at(-1);
    if (last?.second === second) {
      last[outcome] += 1;
      return;
    }
    this.#buckets = this.#buckets.filter((bucket) => bucket.second > second - WINDOW_SECONDS);
    this.#buckets.push({ second, answered: 0, failed: 0, [outcome]: 1 });
  }

  /** Whether, at the moment of the last outcome, there were enough of them, and at least half of them failures. */
  isBad(): boolean {
    const failed = this.#buckets.reduce((sum, bucket) => sum + bucket.failed, 0);
    const all = this.#buckets.reduce((sum, bucket) => sum + bucket.answered, failed);
    return all >= MIN_OUTCOMES && failed >= all * FAILED_SHARE;
  }

  clear(): void {
    this.#buckets = [];
  }
}
