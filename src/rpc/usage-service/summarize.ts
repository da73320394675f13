import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  UsageDimension as Dimension,
  UsageOrder as Order,
  type UsageKeySchema,
  type UsageSumsSchema,
} from "../../../gen/sluice/v1/usage_pb.ts";
import {
  type SummarizeUsageRequest,
  SummarizeUsageRequestSchema,
  type SummarizeUsageResponseSchema,
} from "../../../gen/sluice/v1/usage_service_pb.ts";
import type { Call } from "../../core/call.ts";
import { invalidRequest } from "../../core/failure.ts";
import type { UsageDimension, UsageKey, UsageOrder, UsageSums } from "../../core/usage.ts";
import { checkMessage } from "../../pipeline/validate.ts";
import { backlogMessage, type UsageQueryPorts } from "./ports.ts";
import { readRange, wholeHours } from "./range.ts";
import { cacheStatusOf, readFilter, readTenant, requireAdmin } from "./scope.ts";

const DEFAULT_LIMIT = 100;
const MAX_INT64 = 2n ** 63n - 1n;

/** A version belongs to its prompt. */
const dimensions: Readonly<Record<Dimension, readonly UsageDimension[]>> = {
  [Dimension.UNSPECIFIED]: [],
  [Dimension.FEATURE]: ["feature"],
  [Dimension.USER]: ["user"],
  [Dimension.MODEL]: ["model"],
  [Dimension.PROMPT]: ["prompt"],
  [Dimension.PROMPT_VERSION]: ["prompt", "prompt_version"],
  [Dimension.TENANT]: ["tenant"],
  [Dimension.DAY]: ["day"],
  [Dimension.HOUR]: ["hour"],
  [Dimension.ERROR_REASON]: ["error_reason"],
  [Dimension.CACHE_STATUS]: ["cache_status"],
};

const orders: Readonly<Record<Order, UsageOrder>> = {
  [Order.UNSPECIFIED]: "cost",
  [Order.COST]: "cost",
  [Order.CALLS]: "calls",
  [Order.TOKENS]: "tokens",
  [Order.FAILED_CALLS]: "failed_calls",
  [Order.SAVED]: "saved",
  [Order.TIME]: "time",
};

/** UsageService.SummarizeUsage. */
export async function summarizeUsage(
  ports: UsageQueryPorts,
  { caller }: Call,
  request: SummarizeUsageRequest,
): Promise<MessageInitShape<typeof SummarizeUsageResponseSchema>> {
  checkMessage(SummarizeUsageRequestSchema, request);
  const groupBy = readGrouping(request);
  const tenant = readTenant(caller, request.scope);
  if (groupBy.includes("tenant")) requireAdmin(caller, "sums by tenant");
  const range = wholeHours(readRange(request, ports.clock.nowMs()));
  const backlog = ports.backlog();
  const { rows, rest, total, unpricedModels } = await ports.usage.summarize({
    ...range,
    ...(tenant !== undefined && { tenant }),
    filter: readFilter(request.filter),
    groupBy,
    order: orders[request.orderBy] ?? "cost",
    limit: request.limit || DEFAULT_LIMIT,
  });
  return {
    rows: rows.map(({ key, sums }) => ({ key: keyMessage(key), sums: sumsMessage(sums) })),
    ...(rest && { remainder: { rows: rest.groups, sums: sumsMessage(rest.sums) } }),
    total: sumsMessage(total),
    unpricedModels: [...unpricedModels],
    from: timestampFromMs(range.fromMs),
    to: timestampFromMs(range.toMs),
    backlog: backlogMessage(backlog),
  };
}

function readGrouping({ groupBy, orderBy }: SummarizeUsageRequest): UsageDimension[] {
  const all = [...new Set(groupBy.flatMap((dimension) => dimensions[dimension] ?? []))];
  if (all.includes("day") && all.includes("hour")) {
    throw invalidRequest("group_by", "group_by.one_time", "must not have both DAY and HOUR");
  }
  if (orderBy === Order.TIME && !all.includes("day") && !all.includes("hour")) {
    throw invalidRequest("order_by", "order_by.time", "TIME needs DAY or HOUR in `group_by`");
  }
  return all;
}

function keyMessage(key: UsageKey): MessageInitShape<typeof UsageKeySchema> {
  const text = (name: keyof UsageKey) => (key[name] === undefined ? undefined : String(key[name]));
  const time = key.day ?? key.hour;
  const cacheStatus = text("cache_status");
  return {
    feature: text("feature"),
    user: text("user"),
    model: text("model"),
    promptName: text("prompt"),
    promptVersion: text("prompt_version"),
    tenant: text("tenant"),
    time: time === undefined ? undefined : timestampFromMs(Number(time)),
    errorReason: text("error_reason"),
    cacheStatus: cacheStatus === undefined ? undefined : cacheStatusOf(cacheStatus),
  };
}

function sumsMessage({ latency, ...counts }: UsageSums): MessageInitShape<typeof UsageSumsSchema> {
  const capped = Object.entries(counts).map(([name, sum]) => [name, sum > MAX_INT64 ? MAX_INT64 : sum]);
  return { ...(Object.fromEntries(capped) as typeof counts), ...(latency && { latency }) };
}
