import { type Feature, features } from "./features.ts";
import { type Random, seeded, zipf } from "./random.ts";

/** One call of the day. */
export interface TrafficCall {
  /** In the day, in milliseconds. */
  readonly atMs: number;
  readonly feature: Feature;
  readonly user: string;
  /** Names its question: calls with the same one are identical. */
  readonly question: string;
  readonly mode: "default" | "refresh" | "bypass";
  readonly isStream: boolean;
  /** Which of the service's processes gets it, as a load balancer that knows nothing would choose: 0 to below 1. */
  readonly lot: number;
}

export const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const BURST_MS = 30_000;
const USERS = 2_000;

/** How busy each hour is: quiet nights, a peak before noon and one after, a dip between. */
const hours = [2, 1, 1, 1, 1, 2, 5, 12, 24, 34, 38, 34, 24, 28, 36, 34, 28, 20, 14, 11, 9, 7, 5, 3];

/** About `calls` calls of one day, in the order they come. The same seed gives the same day. */
export function trafficOfDay(calls: number, seed: number): TrafficCall[] {
  const random = seeded(seed);
  const user = zipf(USERS, 0.8, random);
  const hour = weighted(hours, random);
  let unique = 0;
  const time = () => (hour() + random()) * HOUR_MS;
  const call = (feature: Feature, input: () => number, atMs: number): TrafficCall => {
    const isUnique = random() < feature.unique;
    if (isUnique) unique += 1;
    return {
      atMs,
      feature,
      user: `user-${user()}`,
      question: isUnique ? `${feature.name}-once-${unique}` : `${feature.name}-${input()}`,
      mode: modeOf(feature, random()),
      isStream: feature.streams && random() < 0.7,
      lot: random(),
    };
  };
  const all = features.flatMap((feature) => {
    const input = zipf(feature.inputs, feature.exponent, random);
    const single = Array.from({ length: Math.round(calls * feature.share) }, () => call(feature, input, time()));
    return [...single, ...burstsOf(feature, calls, () => call(feature, input, time()), random)];
  });
  return all.sort((a, b) => a.atMs - b.atMs);
}

/** Many who ask the same within half a minute, as after a mail to all or on the hour. */
function burstsOf({ bursts }: Feature, calls: number, first: () => TrafficCall, random: Random): TrafficCall[] {
  if (!bursts) return [];
  // A short day has smaller crowds.
  const size = Math.max(2, Math.round(bursts.calls * Math.min(1, calls / 10_000)));
  return Array.from({ length: bursts.count }, first).flatMap((call) =>
    Array.from({ length: size }, () => ({
      ...call,
      mode: "default" as const,
      atMs: Math.min(call.atMs + random() * BURST_MS, DAY_MS),
      lot: random(),
    })),
  );
}

function modeOf({ refresh, bypass }: Feature, lot: number): TrafficCall["mode"] {
  if (lot < refresh) return "refresh";
  return lot < refresh + bypass ? "bypass" : "default";
}

/** Draws an index with the probability of its weight. */
function weighted(weights: readonly number[], random: Random): () => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return () => {
    let left = random() * total;
    const index = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return index < 0 ? weights.length - 1 : index;
  };
}
