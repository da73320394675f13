import type { MessageInitShape } from "@bufbuild/protobuf";
import { CallOrder as Order } from "../../../gen/sluice/v1/usage_pb.ts";
import {
  type ListCallsRequest,
  ListCallsRequestSchema,
  type ListCallsResponseSchema,
} from "../../../gen/sluice/v1/usage_service_pb.ts";
import type { Call } from "../../core/call.ts";
import type { CallOrder, CallPosition, StoredCall } from "../../core/usage.ts";
import { checkMessage } from "../../pipeline/validate.ts";
import { callTokenOf, readCallToken } from "./call-token.ts";
import { callMessage } from "./messages.ts";
import { backlogMessage, type UsageQueryPorts } from "./ports.ts";
import { readRange } from "./range.ts";
import { readFilter, readTenant } from "./scope.ts";

const DEFAULT_PAGE_SIZE = 50;

const orders: Readonly<Record<Order, CallOrder>> = {
  [Order.UNSPECIFIED]: "newest",
  [Order.NEWEST]: "newest",
  [Order.DEAREST]: "dearest",
  [Order.SLOWEST]: "slowest",
};

/** UsageService.ListCalls. */
export async function listCalls(
  ports: UsageQueryPorts,
  { caller }: Call,
  request: ListCallsRequest,
): Promise<MessageInitShape<typeof ListCallsResponseSchema>> {
  checkMessage(ListCallsRequestSchema, request);
  const tenant = readTenant(caller, request.scope);
  const page = readCallToken(request, caller.tenant);
  const range = page?.range ?? readRange(request, ports.clock.nowMs());
  const order = orders[request.orderBy] ?? "newest";
  const size = request.pageSize || DEFAULT_PAGE_SIZE;
  const backlog = ports.backlog();
  const found = await ports.usage.listCalls({
    ...range,
    ...(tenant !== undefined && { tenant }),
    filter: readFilter(request.filter),
    onlyFailed: request.onlyFailed,
    ...(request.minCostNanoUsd !== undefined && { minCostNanoUsd: request.minCostNanoUsd }),
    ...(request.minLatencyMs !== undefined && { minLatencyMs: request.minLatencyMs }),
    order,
    ...(page && { after: page.after }),
    // One more than is shown tells whether there is another page.
    limit: size + 1,
  });
  const calls = found.slice(0, size);
  const last = found.length > size ? calls.at(-1) : undefined;
  return {
    calls: calls.map(callMessage),
    nextPageToken: last ? callTokenOf(request, caller.tenant, { range, after: positionOf(last, order) }) : "",
    backlog: backlogMessage(backlog),
  };
}

function positionOf(
  { tenant, callId, calledAtMs, costNanoUsd, latencyMs }: StoredCall,
  order: CallOrder,
): CallPosition {
  const value = { newest: 0n, dearest: costNanoUsd ?? -1n, slowest: latencyMs }[order];
  return { tenant, callId, calledAtMs, value };
}
