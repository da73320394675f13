import type { Clock } from "../../core/clock.ts";
import type { UpstreamErrorFields } from "../../core/model.ts";

/**
 * How long one told wait keeps everybody away. A provider may tell a day (Azure: "retry after 86400 seconds"), and one
 * odd header must not switch a model off for that long: after a minute the next calls find out whether it still holds.
 */
const MAX_COOL_DOWN_MS = 60_000;

/** Those who wait come back one after the other, this far apart, in a band of two seconds. */
const SPREAD_STEP_MS = 25;
const SPREAD_STEPS = 80;

/** A call that must wait with the others. */
export interface Cooling {
  /** How long this caller waits: what is left of the told wait, and its own place in the spread. */
  readonly waitMs: number;
  /** What is left of the told wait, also where it is longer than everybody is kept away. */
  readonly toldMs: number;
  readonly error: UpstreamErrorFields;
}

interface Told {
  /** The end of the wait as the provider told it, of the longest where it told several. */
  readonly endMs: number;
  /** The failure that told that. */
  readonly error: UpstreamErrorFields;
}

/** The wait that a provider told one call, kept for all. Nobody comes sooner than told, and not all at once after it. */
export class CoolDown {
  readonly #clock: Clock;
  #told: Told | undefined;
  /** Until when calls are kept away. */
  #closedUntilMs = 0;
  #waiters = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of a failure that told a wait. True where it begins a cool-down, false where it adds to one or tells none. */
  learn(error: UpstreamErrorFields): boolean {
    const waitMs = toldWaitMs(error);
    if (waitMs === undefined) return false;
    const nowMs = this.#clock.monotonicMs();
    const isNew = this.leftMs() === undefined;
    if (isNew) this.#waiters = 0;
    // Of several waits the one that ends last counts: each was told to somebody.
    if (isNew || this.#told === undefined || nowMs + waitMs > this.#told.endMs) {
      this.#told = { endMs: nowMs + waitMs, error };
    }
    const closedUntilMs = nowMs + Math.min(waitMs, MAX_COOL_DOWN_MS);
    this.#closedUntilMs = isNew ? closedUntilMs : Math.max(this.#closedUntilMs, closedUntilMs);
    return isNew;
  }

  /** A place in the cool-down; undefined where there is none. Each call takes the next place. */
  join(): Cooling | undefined {
    if (this.#told === undefined || this.leftMs() === undefined) return undefined;
    const toldMs = Math.ceil(this.#told.endMs - this.#clock.monotonicMs());
    const place = (this.#waiters % SPREAD_STEPS) + this.#clock.random();
    this.#waiters += 1;
    return { toldMs, waitMs: Math.ceil(toldMs + place * SPREAD_STEP_MS), error: this.#told.error };
  }

  /** How long calls are still kept away; undefined where they are not. */
  leftMs(): number | undefined {
    if (this.#told === undefined) return undefined;
    const leftMs = this.#closedUntilMs - this.#clock.monotonicMs();
    return leftMs > 0 ? leftMs : undefined;
  }
}

/**
 * The wait that concerns every call of the model: that of a rate limit, or of an overload that names one. A window
 * that one request is too large for, and an account without money, say nothing about the others.
 */
function toldWaitMs({ kind, httpStatus, waitMs }: UpstreamErrorFields): number | undefined {
  const isUnknownWait = kind === "unknown" && (httpStatus === 429 || httpStatus === 503);
  const isShared = kind === "rate_limited" || kind === "overloaded" || isUnknownWait;
  return isShared && waitMs !== undefined && waitMs > 0 ? waitMs : undefined;
}
