import type { Ratios, Target } from "./benchmark.ts";
import { type Result, ratio, type Spread } from "./interleave.ts";

/** By subject, without the floor, and metric. */
export type RatioTable = Record<string, Record<string, Spread>>;

/** The ratios of a section's subjects to its floor. Metrics that a subject has not are left out. */
export function ratioTable({ results, floor, ratiosOf }: Pick<Ratios, "results" | "floor" | "ratiosOf">): RatioTable {
  const base = results.get(floor);
  const subjects = [...results].filter(([name]) => name !== floor);
  return Object.fromEntries(subjects.map(([name, result]) => [name, base ? ratios(result, base, ratiosOf) : {}]));
}

function ratios(result: Result, base: Result, metrics: string[]): Record<string, Spread> {
  const found: Record<string, Spread> = {};
  for (const metric of metrics) {
    const [own, floor] = [result[metric], base[metric]];
    if (own && floor) found[metric] = ratio(own, floor);
  }
  return found;
}

/** Whether a target is met, in words; undefined where it was not measured. */
export function verdict(table: RatioTable, { subject, metric, atLeast, atMost }: Target): string | undefined {
  const measured = table[subject]?.[metric];
  if (!measured) return undefined;
  const isMet = measured.median >= (atLeast ?? -Infinity) && measured.median <= (atMost ?? Infinity);
  const aim = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  return `${subject}: ${metric} ${measured.median.toFixed(2)} of the floor's, ${isMet ? "met" : "MISSED"}: ${aim}`;
}
