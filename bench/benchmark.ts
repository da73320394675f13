import type { Result } from "./interleave.ts";

/** One benchmark, with what it found in one or more sections. */
export interface Benchmark {
  name: string;
  /** @param effort how long to look; `quick` shows that the benchmark runs, and its figures are not to be believed. */
  measure(effort: "full" | "quick"): Promise<Section[]>;
}

export type Section = Ratios | Counts;

/** Some subjects and, in the same run, the floor that they are compared with. */
export interface Ratios {
  kind: "ratios";
  title: string;
  /** The name of the subject that is the floor. */
  floor: string;
  /** The metrics whose ratios to the floor's are the result. */
  ratiosOf: string[];
  /** Results by subject. */
  results: Map<string, Result>;
}

/** What came out of cases that come out the same each time: no floor, no spread. */
export interface Counts {
  kind: "counts";
  title: string;
  /** What the figures do not say, for whoever reads them. */
  remark: string;
  columns: string[];
  rows: (string | number)[][];
}
