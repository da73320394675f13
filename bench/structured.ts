import type { Benchmark } from "./benchmark.ts";
import { measureCorrection } from "./structured/correction.ts";
import { measureParseCost } from "./structured/parse-cost.ts";
import { measureRecovery } from "./structured/recovery.ts";

/** Structured output: what parsing costs, what it recovers, and what the correction step recovers. */
export const structured: Benchmark = {
  name: "structured",
  measure: async (effort) => [...(await measureParseCost(effort)), measureRecovery(), await measureCorrection()],
};
