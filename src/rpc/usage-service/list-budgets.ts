import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type BudgetBucketSchema,
  BudgetPeriod,
  type BudgetStatusSchema,
  BudgetUnit,
} from "../../../gen/sluice/v1/budget_pb.ts";
import type { ListBudgetsRequest, ListBudgetsResponseSchema } from "../../../gen/sluice/v1/usage_service_pb.ts";
import type { BucketState, BudgetRule, BudgetState, Budgets, RateRule } from "../../core/budgets.ts";
import type { Call } from "../../core/call.ts";
import { wirePeriods, wireScopes } from "../errors/budget-names.ts";
import { readTenant, requireAdmin } from "./scope.ts";

/**
 * UsageService.ListBudgets.
 * @throws SluiceError PERMISSION_DENIED for another tenant's, unless the caller is an admin.
 */
export async function listBudgets(
  { budgets }: { readonly budgets: Budgets },
  call: Call,
  { scope }: ListBudgetsRequest,
): Promise<MessageInitShape<typeof ListBudgetsResponseSchema>> {
  const { tenant = "", allTenants = false } = scope ?? {};
  const isOthers = tenant === "" ? allTenants : !allTenants && tenant !== call.caller.tenant;
  if (isOthers) requireAdmin(call.caller, "other tenants' budgets");
  const states = await budgets.states(readTenant(call.caller, scope));
  return { budgets: states.map(statusOf) };
}

function statusOf({ rule, buckets, bucketCount, isPartial }: BudgetState): MessageInitShape<typeof BudgetStatusSchema> {
  return {
    scope: wireScopes[rule.scope],
    ...("per" in rule ? budgetFields(rule) : rateFields(rule)),
    tenant: rule.tenant ?? "",
    only: [...(rule.only ?? [])],
    buckets: buckets.map(bucketOf),
    bucketCount: BigInt(bucketCount),
    partial: isPartial,
  };
}

function budgetFields({ per, limitNanoUsd, soft }: BudgetRule) {
  return { period: wirePeriods[per], unit: BudgetUnit.NANO_USD, limit: limitNanoUsd, soft };
}

function rateFields({ unit, perMinute }: RateRule) {
  const wireUnit = unit === "requests" ? BudgetUnit.REQUESTS : BudgetUnit.TOKENS;
  return { period: BudgetPeriod.MINUTE, unit: wireUnit, limit: BigInt(perMinute), soft: false };
}

function bucketOf(bucket: BucketState): MessageInitShape<typeof BudgetBucketSchema> {
  const { tenant, name, isOverflow, spent, reserved, share, resetAtMs, unpricedAttempts } = bucket;
  return {
    ...{ tenant, name, isOverflow, spent, reserved, share },
    resetTime: timestampFromMs(resetAtMs),
    unpricedAttempts: BigInt(unpricedAttempts),
  };
}
