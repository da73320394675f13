import type pg from "pg";
import type { UsageDimension, UsageKey, UsageOrder, UsageQuery, UsageSummary, UsageSums } from "../../core/usage.ts";
import { filterConditions, Parameters, timeConditions } from "./usage-conditions.ts";
import { type Histogram, mergeHistograms, percentiles } from "./usage-latency.ts";
import { attemptUsage, callUsage, SUMS, type SumName } from "./usage-sums.ts";

/** Most models named as unpriced. */
const MAX_UNPRICED_MODELS = 20;

const dimensions: Readonly<Record<UsageDimension, string>> = {
  feature: "feature",
  user: "user_id",
  model: "model",
  prompt: "prompt_name",
  prompt_version: "prompt_version",
  tenant: "tenant",
  day: "(extract(epoch FROM date_bin('1 day', hour, '2000-01-01 00:00:00+00')) * 1000)::bigint",
  hour: "(extract(epoch FROM hour) * 1000)::bigint",
  error_reason: "error_reason",
  cache_status: "cache_status",
};

const orders: Readonly<Record<Exclude<UsageOrder, "time">, string>> = {
  cost: "cost_nano_usd DESC",
  calls: "calls DESC",
  tokens: "prompt_tokens + completion_tokens DESC",
  failed_calls: "failed_calls DESC",
  saved: "saved_nano_usd DESC",
};

const sumsOf = (rows: string) => `${SUMS.map((name) => `sum(${name}) AS ${name}`).join(", ")} FROM ${rows}`;

/** The rows of a summary, from the sums of hours where they have what is asked, else from the calls themselves. */
export async function summarize(client: pg.PoolClient, query: UsageQuery): Promise<UsageSummary> {
  const parameters = new Parameters();
  const parts = summaryParts(query, parameters);
  const keys = parts.keys.join(", ");
  const { rows } = await client.query<SummaryRow>(
    `${parts.placed}, sums AS (
      SELECT place, count(*) AS groups, ${parts.keys.map((key) => `min(${key}) AS ${key}`).join(", ")}, ${sumsOf("placed")}
      GROUP BY place
    ), buckets AS (
      SELECT ${keys}, element >> 32 AS bucket, sum(element & 4294967295) AS calls
      FROM source, unnest(latency) AS element GROUP BY ${keys}, bucket
    ), merged AS (
      SELECT place, bucket, sum(buckets.calls) AS calls FROM buckets JOIN placed USING (${keys}) GROUP BY place, bucket
    ), histograms AS (
      SELECT place, array_agg(bucket::text) AS buckets, array_agg(calls::text) AS bucket_calls FROM merged GROUP BY place
    ) SELECT * FROM sums LEFT JOIN histograms USING (place) ORDER BY place`,
    parameters.values,
  );
  const summary = assemble(query, rows);
  if (summary.total.unpricedAttempts === 0n) return { ...summary, unpricedModels: [] };
  return { ...summary, unpricedModels: await unpricedModels(client, query) };
}

type SummaryRow = Readonly<Record<SumName | "groups", string>> & {
  readonly place: number;
  /** Null where there is no call. */
  readonly buckets: readonly string[] | null;
  readonly bucket_calls: readonly string[] | null;
} & Readonly<Record<string, unknown>>;

function summaryParts(query: UsageQuery, parameters: Parameters) {
  const { groupBy, order, limit } = query;
  const expressions = groupBy.length === 0 ? ["''"] : groupBy.map((dimension) => dimensions[dimension]);
  const keys = expressions.map((_, index) => `key${index}`);
  const columns = expressions.map((expression, index) => `${expression} AS key${index}`);
  const timeKey = keys[groupBy.findIndex((dimension) => dimension === "day" || dimension === "hour")] ?? "key0";
  const first = order === "time" ? timeKey : orders[order];
  // Named before the source's own, which both statements then share.
  const place = `least(row_number() OVER (ORDER BY ${[first, ...keys].join(", ")}), ${parameters.add(limit, "int")} + 1)`;
  const placed = `
WITH source AS NOT MATERIALIZED (SELECT ${columns.join(", ")}, ${SUMS.join(", ")}, latency FROM (${sourceOf(query, parameters)}) AS rows),
grouped AS (SELECT ${keys.join(", ")}, ${sumsOf("source")} GROUP BY ${keys.join(", ")}
  -- What was counted under empty keys and moved later leaves zeros there.
  HAVING sum(calls) > 0 OR sum(attempts) > 0),
placed AS MATERIALIZED (SELECT *, (${place})::int AS place FROM grouped)`;
  return { keys, placed };
}

function sourceOf(query: UsageQuery, parameters: Parameters): string {
  const { groupBy, filter } = query;
  const asks = (dimension: UsageDimension, values: readonly string[]) =>
    groupBy.includes(dimension) || values.length > 0;
  if (asks("error_reason", filter.errorReasons) || asks("cache_status", filter.cacheStatuses)) {
    return rawSource(query, parameters);
  }
  const table = asks("user", filter.users) ? "usage_user_hours" : "usage_hours";
  const conditions = [...timeConditions("hour", query, parameters), ...filterConditions(filter, parameters)];
  return `SELECT * FROM ${table} WHERE ${conditions.join(" AND ")}`;
}

/** Attempts know nothing of the end of their call; those of a call that has no row ended like their process. */
function rawSource(query: UsageQuery, parameters: Parameters): string {
  const ofCalls = timeConditions("called_at", query, parameters).join(" AND ");
  const ofAttempts = timeConditions("attempts.called_at", query, parameters)
    .map((condition) => condition.replace(/^tenant/, "attempts.tenant"))
    .join(" AND ");
  const attempts = `(
    SELECT attempts.*, coalesce(calls.error_reason, 'OUTCOME_UNKNOWN') AS call_error_reason,
      coalesce(calls.cache_status, '') AS call_cache_status
    FROM attempts LEFT JOIN calls ON calls.tenant = attempts.tenant AND calls.call_id = attempts.call_id
    WHERE ${ofAttempts}) AS attempts`;
  const conditions = ["true", ...filterConditions(query.filter, parameters)];
  return `
SELECT tenant, hour, user_id, feature, model, prompt_name, prompt_version, synthetic, error_reason, cache_status,
  ${SUMS.join(", ")}, CASE WHEN latency IS NULL THEN '{}' ELSE ARRAY[latency] END AS latency
FROM (${callUsage(`calls WHERE ${ofCalls}`, { more: "error_reason, cache_status," })}
  UNION ALL ${attemptUsage(attempts, { more: "call_error_reason, call_cache_status," })}) AS raw
WHERE ${conditions.join(" AND ")}`;
}

async function unpricedModels(client: pg.PoolClient, query: UsageQuery): Promise<UsageSummary["unpricedModels"]> {
  const parameters = new Parameters();
  const source = sourceOf(query, parameters);
  const { rows } = await client.query<{ model: string; attempts: string }>(
    `SELECT model, sum(unpriced_attempts) AS attempts FROM (${source}) AS rows
     GROUP BY model HAVING sum(unpriced_attempts) > 0 ORDER BY attempts DESC, model LIMIT ${MAX_UNPRICED_MODELS}`,
    parameters.values,
  );
  return rows.map(({ model, attempts }) => ({ model, attempts: BigInt(attempts) }));
}

function histogramOf({ buckets, bucket_calls: calls }: SummaryRow): Histogram {
  return new Map((buckets ?? []).map((bucket, index) => [Number(bucket), BigInt(calls?.[index] ?? 0)]));
}

function assemble({ groupBy, limit }: UsageQuery, rows: readonly SummaryRow[]): Omit<UsageSummary, "unpricedModels"> {
  const summed = rows.map((row) => ({ row, sums: sumsOfRow(row, histogramOf(row)) }));
  const total = { ...addSums(summed.map(({ sums }) => sums)), ...latencyOf(mergeHistograms(rows.map(histogramOf))) };
  const rest = summed.find(({ row }) => row.place > limit);
  return {
    rows:
      groupBy.length === 0
        ? []
        : summed.filter((one) => one !== rest).map(({ row, sums }) => ({ key: keyOf(row, groupBy), sums })),
    ...(rest && { rest: { groups: BigInt(rest.row.groups), sums: rest.sums } }),
    total,
  };
}

function keyOf(row: SummaryRow, groupBy: readonly UsageDimension[]): UsageKey {
  return Object.fromEntries(
    groupBy.map((dimension, index) => {
      const value = String(row[`key${index}`]);
      return [dimension, dimension === "day" || dimension === "hour" ? Number(value) : value];
    }),
  );
}

type Counts = Omit<UsageSums, "latency">;

const names: Readonly<Record<keyof Counts, SumName>> = {
  calls: "calls",
  failedCalls: "failed_calls",
  memoryHits: "memory_hits",
  sharedHits: "shared_hits",
  joinedCalls: "joined_calls",
  replayedCalls: "replayed_calls",
  savedNanoUsd: "saved_nano_usd",
  unpricedHits: "unpriced_hits",
  attempts: "attempts",
  promptTokens: "prompt_tokens",
  cachedPromptTokens: "cached_prompt_tokens",
  completionTokens: "completion_tokens",
  reasoningTokens: "reasoning_tokens",
  costNanoUsd: "cost_nano_usd",
  unpricedAttempts: "unpriced_attempts",
  estimatedAttempts: "estimated_attempts",
};

function counts(value: (field: keyof Counts) => bigint): Counts {
  const fields = Object.keys(names) as (keyof Counts)[];
  return Object.fromEntries(fields.map((field) => [field, value(field)])) as Record<keyof Counts, bigint>;
}

function sumsOfRow(row: SummaryRow, histogram: Histogram): UsageSums {
  return { ...counts((field) => BigInt(row[names[field]])), ...latencyOf(histogram) };
}

function addSums(all: readonly UsageSums[]): Counts {
  return counts((field) => all.reduce((sum, sums) => sum + sums[field], 0n));
}

function latencyOf(histogram: Histogram): Pick<UsageSums, "latency"> {
  const latency = percentiles(histogram);
  return latency ? { latency } : {};
}
