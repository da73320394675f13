import { BudgetPeriod as WirePeriod, BudgetScope as WireScope } from "../../../gen/sluice/v1/budget_pb.ts";
import type { BudgetPeriod, BudgetScope } from "../../core/budgets.ts";

/** The contract's numbers of scopes. */
export const wireScopes: Readonly<Record<BudgetScope, WireScope>> = {
  tenant: WireScope.TENANT,
  user: WireScope.USER,
  feature: WireScope.FEATURE,
  key: WireScope.KEY,
};

/** The contract's numbers of periods. */
export const wirePeriods: Readonly<Record<BudgetPeriod, WirePeriod>> = {
  day: WirePeriod.DAY,
  month: WirePeriod.MONTH,
};
