import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BudgetExceededDetailSchema } from "../../../gen/sluice/v1/error_detail_pb.ts";
import { wirePeriods, wireScopes } from "./budget-names.ts";
import { detail } from "./detail.ts";
import { type DetailRoom, excerpt } from "./detail-room.ts";
import type { FailureWith } from "./row.ts";

/** What a person is told whose call a budget refuses. */
export function budgetMessage({ scope, per, retryAfterMs, unpricedModel }: FailureWith<"BUDGET_EXCEEDED">): string {
  const budget = `the budget of this ${scope} for the ${per}`;
  if (unpricedModel !== undefined)
    return `${budget} pays for no unknown price; an operator sets that of the model in the details with \`prices.override\``;
  if (retryAfterMs === undefined)
    return `${budget} is smaller than what this one attempt may cost; waiting cannot help, allow less output or raise the limit`;
  return `${budget} does not suffice; the details say when it begins anew`;
}

export function budgetExceeded(failure: FailureWith<"BUDGET_EXCEEDED">, room: DetailRoom) {
  return [
    detail(BudgetExceededDetailSchema, {
      scope: wireScopes[failure.scope],
      name: excerpt(failure.name, room),
      period: wirePeriods[failure.per],
      limitNanoUsd: failure.limitNanoUsd,
      spentNanoUsd: failure.spentNanoUsd,
      reservedNanoUsd: failure.reservedNanoUsd,
      requestedNanoUsd: failure.requestedNanoUsd,
      resetTime: timestampFromMs(failure.resetAtMs),
      unpricedModel: excerpt(failure.unpricedModel ?? "", room),
    }),
  ];
}
