import { BrokenInvariant, checkInvariants } from "./invariants.ts";
import type { CallerPlan, ModelPlan, OutcomePlan, Plan } from "./plan.ts";
import { play } from "./play.ts";

/** The invariant that a plan breaks first; undefined where it breaks none. */
export async function brokenBy(plan: Plan): Promise<string | undefined> {
  try {
    checkInvariants(await play(plan));
    return undefined;
  } catch (error) {
    return error instanceof BrokenInvariant ? error.invariant : "the run itself";
  }
}

/** A plan from which nothing can be taken away without it breaking another invariant, or none. */
export async function shrink(plan: Plan): Promise<Plan> {
  const broken = await brokenBy(plan);
  if (broken === undefined) return plan;
  let smallest = plan;
  for (let found: Plan | undefined = plan; found; ) {
    smallest = found;
    found = undefined;
    for (const smaller of smallerPlans(smallest)) {
      if ((await brokenBy(smaller)) !== broken) continue;
      found = smaller;
      break;
    }
  }
  return smallest;
}

/** Plans with one thing less. */
function* smallerPlans(plan: Plan): Generator<Plan> {
  for (const callers of withoutOne(plan.callers)) yield { ...plan, callers };
  for (const models of withOne(plan.models, smallerModels)) yield { ...plan, models };
  for (const callers of withOne(plan.callers, smallerCallers)) yield { ...plan, callers };
  if (plan.hasSharedCache) yield { ...plan, hasSharedCache: false };
  if (plan.ledgerMs > 0) yield { ...plan, ledgerMs: 0 };
  if (plan.wallShifts.length > 0) yield { ...plan, wallShifts: [] };
}

function* smallerModels(model: ModelPlan): Generator<ModelPlan> {
  for (const outcomes of withoutOne(model.outcomes)) yield { ...model, outcomes };
  for (const outcomes of withOne(model.outcomes, smallerOutcomes)) yield { ...model, outcomes };
  for (const fallbacks of withoutOne(model.fallbacks, 0)) yield { ...model, fallbacks };
  if (model.escalateTo !== undefined) yield { ...model, escalateTo: undefined };
}

function* smallerOutcomes(outcome: OutcomePlan): Generator<OutcomePlan> {
  if (outcome.waitMs !== undefined) yield { ...outcome, waitMs: undefined };
  if (outcome.retry !== undefined) yield { ...outcome, retry: undefined };
  if (outcome.delayMs > 0) yield { ...outcome, delayMs: 0 };
  if (outcome.gapMs > 0) yield { ...outcome, gapMs: 0 };
  if (outcome.cuts.length > 0) yield { ...outcome, cuts: [] };
  if (outcome.deltasBefore > 0) yield { ...outcome, deltasBefore: 0 };
}

function* smallerCallers(caller: CallerPlan): Generator<CallerPlan> {
  if (caller.leavesAfterMs !== undefined) yield { ...caller, leavesAfterMs: undefined };
  if (caller.readEveryMs > 0) yield { ...caller, readEveryMs: 0 };
  if (caller.atMs > 0) yield { ...caller, atMs: 0 };
  if (caller.cacheMode !== 0) yield { ...caller, cacheMode: 0 };
}

function* withoutOne<T>(list: readonly T[], least = 1): Generator<readonly T[]> {
  if (list.length <= least) return;
  for (const index of list.keys()) yield list.toSpliced(index, 1);
}

function* withOne<T>(list: readonly T[], smaller: (item: T) => Iterable<T>): Generator<readonly T[]> {
  for (const [index, item] of list.entries()) for (const other of smaller(item)) yield list.with(index, other);
}
