import type { BudgetPayer, PlannedAttempt } from "../../core/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import { type MoneyBucket, type RateBucket, usedOf } from "./book.ts";
import { add, levelAt, waitMs } from "./rate.ts";
import { budgetExceeded, exceedsWindow, rateLimited, type Standing } from "./refusal.ts";

/** An attempt and the buckets that it concerns. */
export interface Claim {
  readonly id: string;
  readonly payer: BudgetPayer;
  readonly attempt: PlannedAttempt;
  /** A name that turns out to be one too many is replaced by the overflow. */
  readonly money: MoneyBucket[];
  readonly rates: readonly RateBucket[];
  readonly amount: number;
  readonly estimate: number;
  /** Requests or tokens. */
  readonly units: number;
}

/** @throws SluiceError for what no waiting and no store can change. */
export function refuseHopeless({ money, rates, attempt, units }: Claim, clock: Clock): void {
  const hard = attempt.maxCostNanoUsd === undefined ? money.find(({ rule }) => !rule.rule.soft) : undefined;
  if (hard) throw budgetExceeded(hard, standingOf(hard), attempt, clock);
  const small = rates.find(({ rule }) => units > rule.rule.perMinute);
  if (small) throw exceedsWindow(small, attempt.model, units);
}

function standingOf({ told, spent, reserved }: MoneyBucket): Standing {
  return { spent: Math.max(0, told + spent), reserved };
}

/**
 * Takes what the claim asks from the buckets as this process sees them, from all or from none, in one turn.
 * @throws SluiceError BUDGET_EXCEEDED or RATE_LIMITED.
 */
export function takeHere(claim: Claim, clock: Clock): void {
  const { money, rates, amount, units, attempt } = claim;
  const poor = money.find((bucket) => !bucket.rule.rule.soft && usedOf(bucket) + amount > bucket.limit);
  if (poor) throw budgetExceeded(poor, standingOf(poor), attempt, clock);
  const nowMs = clock.monotonicMs();
  for (const bucket of rates) {
    const { perMinute } = bucket.rule.rule;
    const missingMs = waitMs(levelAt(bucket, perMinute, nowMs), units, perMinute);
    if (missingMs > 0) throw rateLimited(bucket, attempt.model, missingMs);
  }
  for (const bucket of money) bucket.reserved += amount;
  for (const bucket of rates) add(bucket, units, bucket.rule.rule.perMinute, nowMs);
}
