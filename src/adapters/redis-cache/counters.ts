import { createHistogram } from "node:perf_hooks";
import type { CacheLayerStats, SharedLook } from "../../core/cache.ts";

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
  // In microseconds, up to an hour; some KiB, however many are recorded.
  const lookUpUs = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 });
  const milliseconds = (us: number) => (lookUpUs.count === 0 ? 0 : us / 1_000);
  return {
    looked(kind, ms) {
      looks[kind]++;
      if (ms !== undefined) lookUpUs.record(Math.max(1, Math.round(ms * 1_000)));
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
      lookUpMs: {
        p50: milliseconds(lookUpUs.percentile(50)),
        p99: milliseconds(lookUpUs.percentile(99)),
        max: milliseconds(lookUpUs.max),
      },
    }),
  };
}
