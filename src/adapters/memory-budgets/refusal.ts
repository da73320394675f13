import { RateLimitScope } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { PlannedAttempt } from "../../core/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import { SluiceError } from "../../core/failure.ts";
import type { MoneyBucket, RateBucket } from "./book.ts";

/** The wait that is told where money is only held back: attempts end at any time. */
const RESERVED_WAIT_MS = 1_000;

/** What stands in a budget when it refuses. */
export interface Standing {
  readonly spent: number;
  readonly reserved: number;
}

/** The failure of an attempt that a hard budget cannot pay. */
export function budgetExceeded(
  bucket: MoneyBucket,
  { spent, reserved }: Standing,
  { maxCostNanoUsd, model }: PlannedAttempt,
  clock: Clock,
): SluiceError {
  const { rule, limit, period } = bucket;
  const untilResetMs = Math.max(0, period.endMs - clock.nowMs());
  return new SluiceError({
    reason: "BUDGET_EXCEEDED",
    scope: rule.rule.scope,
    name: bucket.name,
    per: rule.rule.per,
    limitNanoUsd: rule.rule.limitNanoUsd,
    spentNanoUsd: BigInt(spent),
    reservedNanoUsd: BigInt(reserved),
    ...(maxCostNanoUsd === undefined ? { unpricedModel: model } : { requestedNanoUsd: maxCostNanoUsd }),
    resetAtMs: period.endMs,
    // Nothing helps an attempt that is larger than the budget, or whose price nobody knows.
    ...(maxCostNanoUsd !== undefined &&
      maxCostNanoUsd <= rule.rule.limitNanoUsd && {
        retryAfterMs: spent + Number(maxCostNanoUsd) > limit ? untilResetMs : Math.min(RESERVED_WAIT_MS, untilResetMs),
      }),
  });
}

/** The failure of a call or an attempt for which a limit per minute has no room yet. */
export function rateLimited(bucket: RateBucket, model: string, retryAfterMs: number): SluiceError {
  return new SluiceError({ reason: "RATE_LIMITED", ...limitOf(bucket, model), retryAfterMs });
}

/** The failure of an attempt that is larger than what a whole minute allows. */
export function exceedsWindow(bucket: RateBucket, model: string, requested: number): SluiceError {
  return new SluiceError({ reason: "REQUEST_EXCEEDS_RATE_WINDOW", ...limitOf(bucket, model), requested });
}

function limitOf({ rule: { rule }, name }: RateBucket, model: string) {
  return {
    scope: RateLimitScope.CALLER,
    provider: "",
    model,
    unit: rule.unit,
    limit: rule.perMinute,
    caller: { scope: rule.scope, name },
  };
}
