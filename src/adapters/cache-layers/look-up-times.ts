import { createHistogram } from "node:perf_hooks";
import type { CacheLayerStats } from "../../core/cache.ts";

const NANOSECONDS_PER_MS = 1_000_000;
/** Longer ones are counted as this: no layer is waited for as long. */
const LONGEST_NS = 60_000 * NANOSECONDS_PER_MS;

/** How long look-ups took. Recording one takes some 25 ns; the whole takes a few hundred kilobytes, however many. */
export function createLookUpTimes(): { record(ms: number): void; stats(): CacheLayerStats["lookUpMs"] } {
  const times = createHistogram({ lowest: 1, highest: LONGEST_NS, figures: 3 });
  return {
    record(ms) {
      times.record(Math.min(Math.max(1, Math.round(ms * NANOSECONDS_PER_MS)), LONGEST_NS));
    },
    stats() {
      if (times.count === 0) return { p50: 0, p99: 0, max: 0 };
      const [p50, p99, max] = [times.percentile(50), times.percentile(99), times.max];
      return { p50: p50 / NANOSECONDS_PER_MS, p99: p99 / NANOSECONDS_PER_MS, max: max / NANOSECONDS_PER_MS };
    },
  };
}
