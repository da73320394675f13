import type { LatencyPercentiles } from "../../core/usage.ts";

/** Number of calls by bucket; `sluice_latency_bucket` of the migrations says which latencies a bucket holds. */
export type Histogram = ReadonlyMap<number, bigint>;

const GROWTH = 1.04;

export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const merged = new Map<number, bigint>();
  for (const histogram of histograms) {
    for (const [bucket, calls] of histogram) merged.set(bucket, (merged.get(bucket) ?? 0n) + calls);
  }
  return merged;
}

/** `undefined` for no calls. */
export function percentiles(histogram: Histogram): LatencyPercentiles | undefined {
  const buckets = [...histogram].sort(([a], [b]) => a - b);
  const calls = buckets.reduce((sum, [, count]) => sum + count, 0n);
  if (calls === 0n) return undefined;
  const at = (percent: bigint) => {
    // The nearest rank: the smallest latency that so many percent of the calls do not exceed.
    const rank = (calls * percent + 99n) / 100n;
    let passed = 0n;
    for (const [bucket, count] of buckets) {
      passed += count;
      if (passed >= rank) return middleMs(bucket);
    }
    return middleMs(buckets.at(-1)?.[0] ?? 0);
  };
  return { p50Ms: at(50n), p90Ms: at(90n), p99Ms: at(99n) };
}

/**
 * The latency that stands for a bucket, at most 2 % from each whole millisecond in it, to a tenth: more digits would say
 * more than is known. Low buckets hold one whole millisecond, which is then exact; bucket 0 holds 0 and 1.
 */
function middleMs(bucket: number): number {
  if (bucket <= 0) return 1;
  const [first, last] = [
    Math.floor(GROWTH ** (bucket - 1) * (1 + 1e-12)) + 1,
    Math.floor(GROWTH ** bucket * (1 + 1e-12)),
  ];
  return last <= first ? first : Math.round((20 * first * last) / (first + last)) / 10;
}
