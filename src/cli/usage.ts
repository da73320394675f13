import { toJsonString } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CacheStatus, CacheStatusSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { UsageDimension, type UsageKey, UsageOrder, type UsageSums } from "../../gen/sluice/v1/usage_pb.ts";
import { type SummarizeUsageResponse, SummarizeUsageResponseSchema } from "../../gen/sluice/v1/usage_service_pb.ts";
import { csvText } from "./csv.ts";
import { enumName } from "./enum-name.ts";
import { tableText } from "./table.ts";
import { exitCode, printable, printableJson, type Terminal, UserError } from "./terminal.ts";
import { durationText, timeText } from "./time-text.ts";
import type { UsageClient } from "./usage-client.ts";
import { exactUsd, grouped, moneyText } from "./usage-money.ts";
import { limitOf, requestOf, type UsageOptions } from "./usage-options.ts";

export interface SummaryOptions extends UsageOptions {
  readonly by: readonly string[];
  readonly order?: string;
}

const MAX_ROWS = 1000;

const dimensions: Readonly<Record<string, UsageDimension>> = {
  feature: UsageDimension.FEATURE,
  user: UsageDimension.USER,
  model: UsageDimension.MODEL,
  prompt: UsageDimension.PROMPT,
  version: UsageDimension.PROMPT_VERSION,
  tenant: UsageDimension.TENANT,
  day: UsageDimension.DAY,
  hour: UsageDimension.HOUR,
  error: UsageDimension.ERROR_REASON,
  cache: UsageDimension.CACHE_STATUS,
};

export const orders: Readonly<Record<string, UsageOrder>> = {
  cost: UsageOrder.COST,
  calls: UsageOrder.CALLS,
  tokens: UsageOrder.TOKENS,
  errors: UsageOrder.FAILED_CALLS,
  saved: UsageOrder.SAVED,
  time: UsageOrder.TIME,
};

/** `sluice usage`: what calls came to, by whatever is asked. */
export async function showUsage(options: SummaryOptions, client: UsageClient, terminal: Terminal): Promise<number> {
  const by = namesOf(options.by);
  const hasTime = by.includes("day") || by.includes("hour");
  const response = await client.summarizeUsage({
    ...requestOf(options, Date.now()),
    groupBy: by.map((name) => dimensions[name] ?? UsageDimension.UNSPECIFIED),
    orderBy: orders[options.order ?? (hasTime ? "time" : "cost")] ?? UsageOrder.UNSPECIFIED,
    limit: limitOf(options.limit, MAX_ROWS),
  });
  if (options.json) {
    const json = toJsonString(SummarizeUsageResponseSchema, response, { prettySpaces: 2, alwaysEmitImplicit: true });
    terminal.stdout.write(`${printableJson(json)}\n`);
  } else if (options.csv) terminal.stdout.write(csvOf(response, by));
  else terminal.stdout.write(tableOf(response, by));
  return exitCode.ok;
}

/** Names of the contract. */
const synonyms: ReadonlyMap<string, string> = new Map([
  ["prompt-version", "version"],
  ["error-reason", "error"],
  ["cache-status", "cache"],
]);

/** @throws UserError for unknown names. */
function namesOf(lists: readonly string[]): string[] {
  const names = [...new Set(lists.flatMap((list) => list.split(",")).map((name) => name.trim().replaceAll("_", "-")))];
  const known = names.map((name) => synonyms.get(name) ?? name);
  const unknown = known.find((name) => !Object.hasOwn(dimensions, name));
  if (unknown !== undefined) {
    throw new UserError(`--by: ${printable(unknown)} is none of ${Object.keys(dimensions).join(", ")}`);
  }
  return known;
}

const FIGURES = [
  ...["calls", "errors", "cached", "joined", "replayed", "tokens in", "tokens out"],
  ...["cost", "saved", "p50", "p90", "p99"],
];

function tableOf(response: SummarizeUsageResponse, by: readonly string[]): string {
  const { rows, remainder, total, from, to } = response;
  const head = [...keyNames(by), ...FIGURES];
  const fill = (text: string) => keyNames(by).map((_, index) => (index === 0 ? text : ""));
  const line = (keys: string[], sums: UsageSums | undefined) => [...keys, ...(sums ? cells(sums) : [])];
  const body = rows.map(({ key, sums }) => line(keyCells(key, by, "-"), sums));
  const rest = remainder ? [line(fill(`(${grouped(remainder.rows)} more)`), remainder.sums)] : [];
  const all = line(by.length === 0 ? [] : fill("total"), total);
  const range = `${from ? timeText(timestampDate(from)) : ""} to ${to ? timeText(timestampDate(to)) : ""} UTC`;
  return [`${range}\n\n`, tableText([head, ...body, ...rest, all], FIGURES), ...footer(response)].join("");
}

function cells(sums: UsageSums): string[] {
  const { latency } = sums;
  const mark = sums.unpricedAttempts > 0n ? "+?" : "";
  return [
    grouped(sums.calls),
    grouped(sums.failedCalls),
    grouped(sums.memoryHits + sums.sharedHits),
    grouped(sums.joinedCalls),
    grouped(sums.replayedCalls),
    grouped(sums.promptTokens),
    grouped(sums.completionTokens),
    `${moneyText(sums.costNanoUsd)}${mark}`,
    `${moneyText(sums.savedNanoUsd)}${sums.unpricedHits > 0n ? "+?" : ""}`,
    ...[latency?.p50Ms, latency?.p90Ms, latency?.p99Ms].map((ms) => (ms === undefined ? "-" : durationText(ms))),
  ];
}

function* footer({ total, unpricedModels, backlog }: SummarizeUsageResponse): Generator<string> {
  if (total && total.unpricedAttempts > 0n) {
    const models = unpricedModels.map(({ model, attempts }) => `${printable(model)} (${grouped(attempts)})`).join(", ");
    yield `\n+? not in the cost: ${counted(total.unpricedAttempts, "attempt")} of unknown price: ${models}\n`;
  }
  if (total && total.unpricedHits > 0n)
    yield `\n+? not in what was saved: ${counted(total.unpricedHits, "cached answer")} of unknown price\n`;
  if (total && total.estimatedAttempts > 0n)
    yield `\ncharged as estimated: ${counted(total.estimatedAttempts, "attempt")}\n`;
  if (backlog && backlog.pendingRecords > 0n)
    yield `\nstill on their way and not counted: ${counted(backlog.pendingRecords, "record")}\n`;
}

function counted(count: bigint, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1n ? "" : "s"}`;
}

function csvOf({ rows, remainder, total }: SummarizeUsageResponse, by: readonly string[]): string {
  const head = [
    "row",
    ...keyNames(by).map((name) => name.replaceAll(" ", "_")),
    ...["calls", "failed_calls", "memory_hits", "shared_hits", "joined_calls", "replayed_calls", "attempts"],
    ...["prompt_tokens", "cached_prompt_tokens", "completion_tokens", "reasoning_tokens", "cost_usd"],
    ...["unpriced_attempts", "estimated_attempts", "saved_usd", "unpriced_hits", "p50_ms", "p90_ms", "p99_ms"],
  ];
  const empty = keyNames(by).map(() => "");
  return csvText([
    head,
    ...rows.map(({ key, sums }) => ["group", ...keyCells(key, by, ""), ...exactCells(sums)]),
    ...(remainder ? [["remainder", ...empty, ...exactCells(remainder.sums)]] : []),
    ["total", ...empty, ...exactCells(total)],
  ]);
}

function exactCells(sums: UsageSums | undefined): string[] {
  if (!sums) return [];
  const { latency } = sums;
  const counts = [
    ...[sums.calls, sums.failedCalls, sums.memoryHits, sums.sharedHits, sums.joinedCalls, sums.replayedCalls],
    ...[sums.attempts, sums.promptTokens, sums.cachedPromptTokens, sums.completionTokens, sums.reasoningTokens],
  ];
  const times = [latency?.p50Ms, latency?.p90Ms, latency?.p99Ms];
  return [
    ...counts.map(String),
    exactUsd(sums.costNanoUsd),
    String(sums.unpricedAttempts),
    String(sums.estimatedAttempts),
    exactUsd(sums.savedNanoUsd),
    String(sums.unpricedHits),
    ...times.map((ms) => (ms === undefined ? "" : ms.toFixed(1))),
  ];
}

/** A version is shown with its prompt. */
function keyNames(by: readonly string[]): string[] {
  return by.flatMap((name) => (name === "version" && !by.includes("prompt") ? ["prompt", "version"] : [name]));
}

function keyCells(key: UsageKey | undefined, by: readonly string[], none: string): string[] {
  const time = key?.time && timestampDate(key.time);
  const texts: Readonly<Record<string, string | undefined>> = {
    feature: key?.feature,
    user: key?.user,
    model: key?.model,
    prompt: key?.promptName,
    version: key?.promptVersion,
    tenant: key?.tenant,
    day: time && timeText(time, "day"),
    hour: time && timeText(time),
    error: key?.errorReason,
    cache: cacheWord(key?.cacheStatus),
  };
  return keyNames(by).map((name) => texts[name] || none);
}

/** Where an answer came from, as `--cache` takes it; empty for calls without an answer. */
export function cacheWord(status: CacheStatus = CacheStatus.UNSPECIFIED): string {
  return status === CacheStatus.UNSPECIFIED ? "" : enumName(CacheStatusSchema, status).toLowerCase();
}
