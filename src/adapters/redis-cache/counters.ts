import type { CacheLayerStats, SharedLook } from "../../core/cache.ts";
import { createLookUpTimes } from "../cache-layers/look-up-times.ts";

/** Counts for `stats`. */
export interface Counters {
  /** A look-up that took `ms`, or that was not made. */
  looked(kind: SharedLook["kind"], ms: number | undefined): void;
  stored(isStored: boolean): void;
  stats(): CacheLayerStats;
}

export function createCounters(): Counters {
  const looks = { hit: 0, miss: 0, unknown: 0 };
  let stores = 0;
  let unstored = 0;
  const times = createLookUpTimes();
  return {
    looked(kind, ms) {
      looks[kind]++;
      if (ms !== undefined) times.record(ms);
    },
    stored(isStored) {
      if (isStored) stores++;
      else unstored++;
    },
    stats: () => ({
      hits: looks.hit,
      misses: looks.miss,
      unknown: looks.unknown,
      stores,
      unstored,
      lookUpMs: times.stats(),
    }),
  };
}
