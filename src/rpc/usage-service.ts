import type { ServiceImpl } from "@connectrpc/connect";
import type { UsageService } from "../../gen/sluice/v1/usage_service_pb.ts";
import type { Budgets } from "../core/budgets.ts";
import type { CostEstimator } from "../core/estimate.ts";
import { callOf } from "./call/call-setup.ts";
import { estimateCost } from "./usage-service/estimate-cost.ts";
import { getCall } from "./usage-service/get-call.ts";
import { listBudgets } from "./usage-service/list-budgets.ts";
import { listCalls } from "./usage-service/list-calls.ts";
import type { UsageQueryPorts } from "./usage-service/ports.ts";
import { summarizeUsage } from "./usage-service/summarize.ts";

export interface UsageServicePorts extends UsageQueryPorts {
  readonly estimator: CostEstimator;
  readonly budgets: Budgets;
}

/** UsageService over the stored ledger and the price list. */
export function usageService(ports: UsageServicePorts): ServiceImpl<typeof UsageService> {
  return {
    estimateCost: (request, context) => estimateCost(ports, callOf(context), request),
    summarizeUsage: (request, context) => summarizeUsage(ports, callOf(context), request),
    listCalls: (request, context) => listCalls(ports, callOf(context), request),
    getCall: (request, context) => getCall(ports, callOf(context), request),
    listBudgets: (request, context) => listBudgets(ports, callOf(context), request),
  };
}
