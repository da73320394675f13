import type { Clock } from "../../core/clock.ts";

/** Entries that were stored together must not all expire together: up to this part of the TTL is taken off. */
const TTL_JITTER = 0.1;

/** How long an entry with this TTL (at least 1 ms) lives: 90 to 100 % of it, in whole milliseconds, at least 1. */
export function lifeMs(ttlMs: number, clock: Pick<Clock, "random">): number {
  return Math.max(1, Math.floor(ttlMs * (1 - TTL_JITTER * clock.random())));
}
