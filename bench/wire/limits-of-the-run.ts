import type { Result } from "../interleave.ts";
import { isPinned } from "../processes.ts";
import type { Observed } from "./servers.ts";

const FULL_PERCENT = 90;

/** How much of their cores server and load had, as two metrics. */
export function coreMetrics({ serverShare, cpuShare }: Observed): Record<string, number> {
  return { "server core %": serverShare * 100, "load core %": cpuShare * 100 };
}

/** For loads that ask as fast as they are answered: where it was not the server that was the limit. */
export function remarksOnLimits(results: Map<string, Result>): string[] {
  const above = (metric: string) =>
    [...results].filter(([, result]) => (result[metric]?.median ?? 0) >= FULL_PERCENT).map(([name]) => name);
  const loadLimited = above("load core %");
  const serverLimited = above("server core %");
  const neither = [...results.keys()].filter((name) => ![...loadLimited, ...serverLimited].includes(name));
  return [
    ...(isPinned ? [] : ["server and load shared their cores: only CPU time can be believed"]),
    ...(loadLimited.length > 0 ? [`the load was the limit for ${loadLimited.join(", ")}`] : []),
    ...(neither.length > 0 ? [`other work on the machine was a limit for ${neither.join(", ")}`] : []),
  ];
}
