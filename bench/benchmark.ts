import type { Result } from "./interleave.ts";

export type Effort = "full" | "quick";

/** One benchmark, with what it found in one or more sections. */
export interface Benchmark {
  name: string;
  /** @param effort how long to look; `quick` shows that the benchmark runs, and its figures are not to be believed. */
  measure(effort: Effort): Promise<Section[]>;
}

export type Section = Ratios | Counts;

/** Some subjects and, in the same run, the floor that they are compared with. */
export interface Ratios {
  kind: "ratios";
  /** The same in every run: earlier results are found by it. */
  title: string;
  /** The name of the subject that is the floor. */
  floor: string;
  /** The metrics whose ratios to the floor's are the result. */
  ratiosOf: string[];
  /** Those of them of which more is better; of all others less is. */
  moreIsBetter?: string[];
  targets?: Target[];
  /** Conditions under which it was measured. */
  settings?: Record<string, string | number>;
  /** What the figures do not say, for whoever reads them. */
  remarks?: string[];
  /** Results by subject. */
  results: Map<string, Result>;
}

/** What a ratio to the floor's should be. */
export interface Target {
  subject: string;
  metric: string;
  atLeast?: number;
  atMost?: number;
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
