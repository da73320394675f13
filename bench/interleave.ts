/** One thing that is measured, such as a server under load. */
export interface Subject {
  name: string;
  /** Measures once: a value for each metric. */
  measure(): Promise<Record<string, number>>;
  /** Not measured in more rounds than this, because it takes so long. Default: in all. */
  maxRounds?: number;
}

/** The middle of the repetitions, and how far apart they lie. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  /** By round. */
  values: readonly number[];
}

/** By metric. */
export type Result = Record<string, Spread>;

/**
 * Measures each subject `rounds` times, in turns, so that a machine that is busy for a while does not favour one of them.
 * One more round before is thrown away, unless the subjects start anew each time (`warmUp: false`).
 */
export async function interleave(
  subjects: Subject[],
  rounds: number,
  { warmUp = true }: { warmUp?: boolean } = {},
): Promise<Map<string, Result>> {
  const samples = new Map(subjects.map(({ name }): [string, Record<string, number>[]] => [name, []]));
  for (let round = warmUp ? -1 : 0; round < rounds; round += 1) {
    for (const { name, measure, maxRounds = rounds } of subjects) {
      if (round >= maxRounds) continue;
      const sample = await measure();
      if (round >= 0) samples.get(name)?.push(sample);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, summarize(values)]));
}

function summarize(samples: Record<string, number>[]): Result {
  const metrics = Object.keys(samples[0] ?? {});
  return Object.fromEntries(
    metrics.map((metric) => [metric, spread(samples.map((sample) => sample[metric] ?? Number.NaN))]),
  );
}

/** The median (the lower one of two) and the extremes. Throws for no values. */
export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, median, max] = [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  if (min === undefined || median === undefined || max === undefined) throw new Error("nothing was measured");
  return { median, min, max, values };
}

/** A subject's values as multiples of the floor's of the same round, which a machine that is busy for a while spares. */
export function ratio(subject: Spread, floor: Spread): Spread {
  return spread(subject.values.map((value, round) => value / (floor.values[round] ?? Number.NaN)));
}
