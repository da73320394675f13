import type pg from "pg";
import type { CallHistory, CallOrder, CallQuery, StoredAttempt, StoredCall } from "../../core/usage.ts";
import { filterConditions, Parameters, timeConditions } from "./usage-conditions.ts";

/** What a list is ordered by before the time of the call: -1 where a cost is unknown, so that it comes last. */
const values: Readonly<Record<CallOrder, string>> = {
  newest: "0::bigint",
  dearest: "coalesce(cost_nano_usd, -1)",
  slowest: "latency_ms",
};

/** A page of calls. Keys of the last call of the page before say where it begins, so that new calls do not shift it. */
export async function listCalls(client: pg.PoolClient, query: CallQuery): Promise<StoredCall[]> {
  const { order, after, limit, onlyFailed, minCostNanoUsd, minLatencyMs } = query;
  const parameters = new Parameters();
  const value = values[order];
  const conditions = [
    ...timeConditions("called_at", query, parameters),
    ...filterConditions(query.filter, parameters),
    ...(onlyFailed ? ["error_reason <> ''"] : []),
    ...(minCostNanoUsd === undefined ? [] : [`cost_nano_usd >= ${parameters.add(String(minCostNanoUsd), "bigint")}`]),
    ...(minLatencyMs === undefined ? [] : [`latency_ms >= ${parameters.add(String(minLatencyMs), "bigint")}`]),
  ];
  // The order of the index, backwards, so that the newest calls are read from it and no others.
  const sorted = [...(order === "newest" ? [] : [value]), ...(query.tenant === undefined ? [] : ["tenant"])];
  const keys = [...sorted, "called_at", "call_id", ...(query.tenant === undefined ? ["tenant"] : [])];
  if (after) {
    const position: Readonly<Record<string, () => string>> = {
      [value]: () => parameters.add(String(after.value), "bigint"),
      tenant: () => parameters.add(after.tenant, "text"),
      called_at: () => parameters.add(new Date(after.calledAtMs).toISOString(), "timestamptz"),
      call_id: () => parameters.add(after.callId, "text"),
    };
    conditions.push(`(${keys.join(", ")}) < (${keys.map((key) => position[key]?.()).join(", ")})`);
  }
  const { rows } = await client.query<CallRow>(
    `SELECT * FROM calls WHERE ${conditions.join(" AND ")}
     ORDER BY ${keys.map((key) => `${key} DESC`).join(", ")} LIMIT ${parameters.add(limit, "int")}`,
    parameters.values,
  );
  return rows.map(storedCall);
}

/** `undefined` where neither the call nor an attempt of it is there. */
export async function getCall(client: pg.PoolClient, tenant: string, callId: string): Promise<CallHistory | undefined> {
  const key = [tenant, callId];
  const calls = await client.query<CallRow>("SELECT * FROM calls WHERE tenant = $1 AND call_id = $2", key);
  const attempts = await client.query<AttemptRow>(
    "SELECT * FROM attempts WHERE tenant = $1 AND call_id = $2 ORDER BY attempt",
    key,
  );
  const [call] = calls.rows;
  if (!call && attempts.rows.length === 0) return undefined;
  return { ...(call && { call: storedCall(call) }), attempts: attempts.rows.map(storedAttempt) };
}

/** `pg` gives bigint as text, so that no digit is lost. */
interface CallRow extends Readonly<Record<string, unknown>> {
  readonly tenant: string;
  readonly call_id: string;
  readonly called_at: Date;
  readonly feature: string;
  readonly user_id: string;
  readonly method: string;
  readonly prompt_name: string;
  readonly prompt_version: string;
  readonly model: string;
  readonly answered_by: string;
  readonly cache_status: string;
  readonly attempts: number;
  readonly prompt_tokens: string;
  readonly cached_prompt_tokens: string;
  readonly completion_tokens: string;
  readonly reasoning_tokens: string;
  readonly usage_estimated: boolean;
  readonly cost_nano_usd: string | null;
  readonly saved_nano_usd: string | null;
  readonly latency_ms: string;
  readonly stage_ms: Record<string, number>;
  readonly synthetic: boolean;
  readonly error_reason: string;
  readonly finished_at: Date;
}

function storedCall(row: CallRow): StoredCall {
  return {
    tenant: row.tenant,
    callId: row.call_id,
    calledAtMs: row.called_at.getTime(),
    feature: row.feature,
    user: row.user_id,
    method: row.method,
    promptName: row.prompt_name,
    promptVersion: row.prompt_version,
    model: row.model,
    answeredBy: row.answered_by,
    cacheStatus: row.cache_status,
    attempts: row.attempts,
    ...tokens(row),
    usageEstimated: row.usage_estimated,
    ...amount("costNanoUsd", row.cost_nano_usd),
    ...amount("savedNanoUsd", row.saved_nano_usd),
    latencyMs: BigInt(row.latency_ms),
    stageMs: row.stage_ms,
    synthetic: row.synthetic,
    errorReason: row.error_reason,
    finishedAtMs: row.finished_at.getTime(),
  };
}

/** The columns of a part are null until it has arrived; the other columns of a part that has are not. */
interface AttemptRow extends Readonly<Record<string, unknown>> {
  readonly attempt: number;
  readonly feature: string;
  readonly user_id: string;
  readonly method: string | null;
  readonly prompt_name: string | null;
  readonly prompt_version: string | null;
  readonly model: string;
  readonly provider: string;
  readonly provider_model: string;
  readonly synthetic: boolean | null;
  readonly cause: string;
  readonly wait_ms: string;
  readonly estimated_prompt_tokens: string;
  readonly estimated_cost_nano_usd: string | null;
  readonly started_at: Date | null;
  readonly prompt_tokens: string;
  readonly cached_prompt_tokens: string;
  readonly completion_tokens: string;
  readonly reasoning_tokens: string;
  readonly usage_estimated: boolean;
  readonly cost_nano_usd: string | null;
  readonly price_version: string | null;
  readonly latency_ms: string;
  readonly time_to_first_token_ms: string | null;
  readonly http_status: number;
  readonly error_reason: string;
  readonly finished_at: Date | null;
}

function storedAttempt(row: AttemptRow): StoredAttempt {
  return {
    number: row.attempt,
    ...(row.started_at && { start: startOf(row, row.started_at) }),
    ...(row.finished_at && { end: endOf(row, row.finished_at) }),
  };
}

function startOf(row: AttemptRow, startedAt: Date): StoredAttempt["start"] {
  return {
    feature: row.feature,
    user: row.user_id,
    method: row.method ?? "",
    promptName: row.prompt_name ?? "",
    promptVersion: row.prompt_version ?? "",
    model: row.model,
    provider: row.provider,
    providerModel: row.provider_model,
    synthetic: row.synthetic ?? false,
    cause: row.cause,
    waitMs: BigInt(row.wait_ms),
    estimatedPromptTokens: BigInt(row.estimated_prompt_tokens),
    ...amount("estimatedCostNanoUsd", row.estimated_cost_nano_usd),
    startedAtMs: startedAt.getTime(),
  };
}

function endOf(row: AttemptRow, finishedAt: Date): StoredAttempt["end"] {
  return {
    ...tokens(row),
    usageEstimated: row.usage_estimated,
    ...amount("costNanoUsd", row.cost_nano_usd),
    priceVersion: row.price_version ?? "",
    latencyMs: BigInt(row.latency_ms),
    ...amount("timeToFirstTokenMs", row.time_to_first_token_ms),
    httpStatus: row.http_status,
    errorReason: row.error_reason,
    finishedAtMs: finishedAt.getTime(),
  };
}

function tokens(row: CallRow | AttemptRow) {
  return {
    promptTokens: BigInt(row.prompt_tokens),
    cachedPromptTokens: BigInt(row.cached_prompt_tokens),
    completionTokens: BigInt(row.completion_tokens),
    reasoningTokens: BigInt(row.reasoning_tokens),
  };
}

/** A field that is left out where the amount is unknown. */
function amount<Name extends string>(name: Name, value: string | null): { readonly [N in Name]?: bigint } {
  const found: { [N in Name]?: bigint } = {};
  if (value !== null) found[name] = BigInt(value);
  return found;
}
