import type { Result } from "./interleave.ts";

/** One benchmark: some subjects and, in the same run, the floor that they are compared with. */
export interface Benchmark {
  name: string;
  /** The name of the subject that is the floor. */
  floor: string;
  /** The metrics whose ratios to the floor's are the result. */
  ratiosOf: string[];
  /** Results by subject. */
  measure(): Promise<Map<string, Result>>;
}
