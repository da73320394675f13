// Plays many runs and says which invariants broke, how often and where first: node test/properties/survey.ts 500
import { pathToFileURL } from "node:url";
import { drawPlan } from "./draw-plan.ts";
import { BrokenInvariant, checkInvariants } from "./invariants.ts";
import { play } from "./play.ts";

export interface Broken {
  readonly invariant: string;
  readonly count: number;
  readonly firstSeed: number;
  readonly message: string;
}

/** What broke in the runs of the seeds from 1, most often first. A run counts for the first invariant that it breaks. */
export async function survey(runs: number): Promise<Broken[]> {
  const broken = new Map<string, Broken>();
  for (let seed = 1; seed <= runs; seed += 1) {
    const error = await fault(seed);
    if (error === undefined) continue;
    const invariant = error instanceof BrokenInvariant ? error.invariant : "the run itself";
    const { count = 0, firstSeed = seed, message = String(error) } = broken.get(invariant) ?? {};
    broken.set(invariant, { invariant, count: count + 1, firstSeed, message });
  }
  return [...broken.values()].sort((a, b) => b.count - a.count);
}

async function fault(seed: number): Promise<unknown> {
  try {
    checkInvariants(await play(drawPlan(seed)));
    return undefined;
  } catch (error) {
    return error;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const broken = await survey(Number(process.argv[2] ?? 500));
  console.log(JSON.stringify(broken));
  process.exit(broken.length === 0 ? 0 : 1);
}
