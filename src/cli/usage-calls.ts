import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CallOrder, type CallSummary, CallSummarySchema } from "../../gen/sluice/v1/usage_pb.ts";
import { type GetCallResponse, GetCallResponseSchema } from "../../gen/sluice/v1/usage_service_pb.ts";
import { attemptLines } from "./attempt-text.ts";
import { csvText } from "./csv.ts";
import type { ServerOptions } from "./server-options.ts";
import { tableText } from "./table.ts";
import { exitCode, printable, printableJson, type Terminal, UserError } from "./terminal.ts";
import { durationText, timeText } from "./time-text.ts";
import { cacheWord } from "./usage.ts";
import type { UsageClient } from "./usage-client.ts";
import { exactUsd, grouped, moneyText } from "./usage-money.ts";
import { limitOf, requestOf, type UsageOptions } from "./usage-options.ts";

export interface CallsOptions extends UsageOptions {
  readonly onlyErrors?: boolean;
  readonly minCost?: string;
  readonly minLatency?: string;
  readonly order: "newest" | "dearest" | "slowest";
}

const DEFAULT_CALLS = 20;
const MAX_CALLS = 100_000;
const PAGE_SIZE = 500;

const orders = { newest: CallOrder.NEWEST, dearest: CallOrder.DEAREST, slowest: CallOrder.SLOWEST } as const;

/** `sluice usage calls`: single calls, page by page until the limit. */
export async function listUsageCalls(options: CallsOptions, client: UsageClient, terminal: Terminal): Promise<number> {
  const limit = limitOf(options.limit, MAX_CALLS) || DEFAULT_CALLS;
  const request = {
    ...requestOf(options, Date.now()),
    onlyFailed: options.onlyErrors ?? false,
    ...(options.minCost !== undefined && { minCostNanoUsd: nanoUsdOf(options.minCost) }),
    ...(options.minLatency !== undefined && { minLatencyMs: msOf(options.minLatency) }),
    orderBy: orders[options.order],
  };
  const calls: CallSummary[] = [];
  let pageToken = "";
  do {
    const page = await client.listCalls({ ...request, pageToken, pageSize: Math.min(PAGE_SIZE, limit - calls.length) });
    calls.push(...page.calls);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && calls.length < limit);
  if (options.json) {
    const json = calls.map((call) => jsonOf(CallSummarySchema, call));
    terminal.stdout.write(`${printableJson(JSON.stringify(json, undefined, 2))}\n`);
  } else if (options.csv) terminal.stdout.write(csvOf(calls));
  else terminal.stdout.write(`${tableOf(calls)}${pageToken === "" ? "" : "\nthere are more; --limit shows them\n"}`);
  return exitCode.ok;
}

const FIGURES = ["tokens in", "tokens out", "cost", "took"];

function tableOf(calls: readonly CallSummary[]): string {
  const head = ["began (UTC)", "call id", "feature", "user", "model", "outcome", ...FIGURES];
  const rows = calls.map((call) => [
    call.startedAt ? timeText(timestampDate(call.startedAt), "second") : "-",
    call.callId,
    call.feature || "-",
    call.user || "-",
    call.model || "-",
    call.errorReason || cacheWord(call.cacheStatus) || "-",
    grouped(call.usage?.promptTokens ?? 0n),
    grouped(call.usage?.completionTokens ?? 0n),
    call.costNanoUsd === undefined ? "unknown" : moneyText(call.costNanoUsd),
    durationText(Number(call.latencyMs)),
  ]);
  return tableText([head, ...rows], FIGURES);
}

/** With zeros: an amount that is left out is unknown, and nothing else is. */
function jsonOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) {
  return toJson(schema, message, { alwaysEmitImplicit: true });
}

function csvOf(calls: readonly CallSummary[]): string {
  const head = [
    ...["started_at", "call_id", "tenant", "feature", "user", "method", "prompt_name", "prompt_version", "model"],
    ...["answered_by", "cache_status", "error_reason", "attempts", "prompt_tokens", "cached_prompt_tokens"],
    ...["completion_tokens", "reasoning_tokens", "usage_estimated", "cost_usd", "saved_usd", "latency_ms", "synthetic"],
  ];
  const usd = (amount: bigint | undefined) => (amount === undefined ? "" : exactUsd(amount));
  return csvText([
    head,
    ...calls.map((call) => [
      call.startedAt ? timestampDate(call.startedAt).toISOString() : "",
      ...[call.callId, call.tenant, call.feature, call.user, call.method, call.promptName, call.promptVersion],
      ...[call.model, call.answeredBy, cacheWord(call.cacheStatus), call.errorReason, call.attempts],
      ...[call.usage?.promptTokens ?? 0n, call.usage?.cachedPromptTokens ?? 0n],
      ...[
        call.usage?.completionTokens ?? 0n,
        call.usage?.reasoningTokens ?? 0n,
        String(call.usage?.estimated ?? false),
      ],
      ...[usd(call.costNanoUsd), usd(call.savedNanoUsd), call.latencyMs, String(call.synthetic)],
    ]),
  ]);
}

/** Dollars with at most nine decimals, without a detour over a double. */
function nanoUsdOf(text: string): bigint {
  const [, whole = "", fraction = ""] = /^\$?([0-9]{1,9})(?:\.([0-9]{1,9}))?$/.exec(text) ?? [];
  if (whole === "") throw new UserError("--min-cost: must be an amount in dollars, such as 0.05");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function msOf(text: string): bigint {
  const [, count = "", unit = "ms"] = /^([0-9]{1,9})(ms|s)?$/.exec(text) ?? [];
  if (count === "")
    throw new UserError("--min-latency: must be a whole number of milliseconds or seconds, such as 800ms or 5s");
  return BigInt(count) * (unit === "s" ? 1000n : 1n);
}

export interface CallOptions extends ServerOptions {
  readonly tenant?: string;
  readonly json?: boolean;
}

/** A UUID. */
const CALL_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `sluice usage call`: all that the ledger has of one call. */
export async function showUsageCall(
  callId: string,
  options: CallOptions,
  client: UsageClient,
  terminal: Terminal,
): Promise<number> {
  if (!CALL_ID.test(callId)) {
    throw new UserError("<id>: must be the id of a call, such as 01890000-0000-7000-8000-000000000000");
  }
  const response = await client.getCall({ callId: callId.toLowerCase(), tenant: options.tenant ?? "" });
  if (response.call) response.call.stageMs = inOrder(response.call.stageMs);
  const text = options.json
    ? JSON.stringify(jsonOf(GetCallResponseSchema, response), undefined, 2)
    : callText(callId, response);
  terminal.stdout.write(`${printable(text)}\n`);
  return exitCode.ok;
}

function callText(callId: string, { call: record }: GetCallResponse): string {
  const { call, stageMs = {}, attempts = [] } = record ?? {};
  const [first] = attempts;
  const prompt = call ?? first;
  const lines = [
    `call ${callId}`,
    ...(call ? endLines(call) : ["it has no end: its process died, or it has not ended yet; its attempts are charged"]),
    `feature ${call?.feature || first?.feature || "-"}, user ${call?.user || first?.user || "-"}`,
    ...(prompt?.promptName ? [`prompt ${prompt.promptName} ${prompt.promptVersion}`] : []),
    ...(Object.keys(stageMs).length > 0 ? [`stages: ${stagesText(stageMs)}`] : []),
  ];
  for (const { attempt, outcomeUnknown, finishedAt, priceVersion } of attempts) {
    if (!attempt) continue;
    const cost = attempt.costNanoUsd === undefined ? "unknown" : moneyText(attempt.costNanoUsd);
    const { promptTokens = 0n, completionTokens = 0n, estimated = false } = attempt.usage ?? {};
    if (!finishedAt) lines.push(`  attempt ${attempt.number}: ${attempt.model}, under way`);
    else if (outcomeUnknown)
      lines.push(`  attempt ${attempt.number}: ${attempt.model}, its process died; charged as estimated`);
    else lines.push(...attemptLines([attempt]));
    if (!finishedAt) continue;
    const tokens = `${grouped(promptTokens)} + ${grouped(completionTokens)} tokens${estimated ? " (counted here)" : ""}`;
    lines.push(`    ${tokens}, cost ${cost}${priceVersion === "" ? "" : ` by ${priceVersion}`}`);
  }
  return lines.join("\n");
}

function endLines(call: CallSummary): string[] {
  const outcome = call.errorReason || `answered by ${call.answeredBy} (${cacheWord(call.cacheStatus) || "-"})`;
  const cost = call.costNanoUsd === undefined ? "unknown" : moneyText(call.costNanoUsd);
  const began = call.startedAt ? `${timeText(timestampDate(call.startedAt), "second")} UTC` : "";
  return [
    `${call.method} ${began}, tenant ${call.tenant}: ${outcome} after ${durationText(Number(call.latencyMs))}`,
    `cost ${cost}${call.savedNanoUsd === undefined ? "" : `, saved ${moneyText(call.savedNanoUsd)}`}`,
  ];
}

/** The stages in the order of the pipeline, then those that this version does not know. */
const STAGES = ["validate", "build_context", "cache_lookup", "call_model", "parse"];

function inOrder(stageMs: Readonly<Record<string, number>>): Record<string, number> {
  const place = (stage: string) => (STAGES.includes(stage) ? STAGES.indexOf(stage) : STAGES.length);
  return Object.fromEntries(Object.entries(stageMs).sort(([a], [b]) => place(a) - place(b)));
}

function stagesText(stageMs: Readonly<Record<string, number>>): string {
  return Object.entries(stageMs)
    .map(([stage, ms]) => `${stage.replaceAll("_", " ")} ${ms.toFixed(1)} ms`)
    .join(", ");
}
