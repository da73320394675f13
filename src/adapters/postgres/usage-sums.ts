/** The columns that the sums of an hour are kept by; those of `usage_hours` have no user. */
export const HOUR_KEYS = ["tenant", "hour", "feature", "model", "prompt_name", "prompt_version", "synthetic"] as const;
export const USER_HOUR_KEYS = [...HOUR_KEYS.slice(0, 2), "user_id", ...HOUR_KEYS.slice(2)] as const;

/** What is added up; the histogram `latency` apart. */
export const SUMS = [
  "calls",
  "failed_calls",
  "memory_hits",
  "shared_hits",
  "joined_calls",
  "replayed_calls",
  "saved_nano_usd",
  "unpriced_hits",
  "attempts",
  "prompt_tokens",
  "cached_prompt_tokens",
  "completion_tokens",
  "reasoning_tokens",
  "cost_nano_usd",
  "unpriced_attempts",
  "estimated_attempts",
] as const;

export type SumName = (typeof SUMS)[number];

/**
 * A call as one row of sums: its keys, `SUMS`, and its latency as an element of a histogram.
 * @param rows what `calls` rows are read from, with all columns of the table.
 */
export function callUsage(rows: string, { more = "" }: { readonly more?: string } = {}): string {
  return `
SELECT tenant, sluice_hour(called_at) AS hour, user_id, feature, model, prompt_name, prompt_version, synthetic, ${more}
  1 AS calls, (error_reason <> '')::int AS failed_calls, (cache_status = 'memory_hit')::int AS memory_hits,
  (cache_status = 'shared_hit')::int AS shared_hits, (cache_status = 'joined')::int AS joined_calls,
  (cache_status = 'replayed')::int AS replayed_calls, coalesce(saved_nano_usd, 0)::numeric AS saved_nano_usd,
  (cache_status IN ('memory_hit', 'shared_hit', 'joined', 'replayed') AND saved_nano_usd IS NULL)::int AS unpriced_hits,
  0 AS attempts, 0::numeric AS prompt_tokens, 0::numeric AS cached_prompt_tokens, 0::numeric AS completion_tokens,
  0::numeric AS reasoning_tokens, 0::numeric AS cost_nano_usd, 0 AS unpriced_attempts, 0 AS estimated_attempts,
  (sluice_latency_bucket(latency_ms) << 32) + 1 AS latency
FROM ${rows}`;
}

/**
 * An attempt that has ended as one row of sums; one whose start has not arrived is under empty keys.
 * @param options.isUndone takes back what was counted before the start arrived.
 */
export function attemptUsage(
  rows: string,
  options: { readonly isUndone?: boolean; readonly more?: string; readonly where?: string } = {},
): string {
  const { isUndone = false, more = "", where = "true" } = options;
  const sign = isUndone ? "-" : "";
  const keys = isUndone
    ? "sluice_hour(sluice_call_time(call_id, finished_at)) AS hour, '', '', '', '', '', false,"
    : `sluice_hour(called_at) AS hour, coalesce(user_id, ''), coalesce(feature, ''), coalesce(model, ''),
  coalesce(prompt_name, ''), coalesce(prompt_version, ''), coalesce(synthetic, false),`;
  return `
SELECT tenant, ${keys} ${more}
  0, 0, 0, 0, 0, 0, 0::numeric, 0, ${sign}1, ${sign}prompt_tokens::numeric, ${sign}cached_prompt_tokens::numeric,
  ${sign}completion_tokens::numeric, ${sign}reasoning_tokens::numeric, ${sign}coalesce(cost_nano_usd, 0)::numeric,
  ${sign}(cost_nano_usd IS NULL)::int, ${sign}usage_estimated::int, NULL::bigint
FROM ${rows} WHERE finished_at IS NOT NULL AND ${where}`;
}

/** A histogram with more elements than this is merged when the next come, so that it stays short. */
const MAX_LOOSE_ELEMENTS = 128;

/**
 * Adds rows of sums to a table of sums. Keys are touched in their order: transactions that wait for each other do so in
 * one direction.
 */
export function addUsage(table: string, keys: readonly string[], rows: string): string {
  const merged = `${table}.latency || excluded.latency`;
  return `
INSERT INTO ${table} (${[...keys, ...SUMS, "latency"].join(", ")})
SELECT ${[...keys, ...SUMS.map((name) => `sum(${name})`)].join(", ")},
  coalesce(array_agg(latency) FILTER (WHERE latency IS NOT NULL), '{}')
FROM ${rows} GROUP BY ${keys.join(", ")} ORDER BY ${keys.join(", ")}
ON CONFLICT (${keys.join(", ")}) DO UPDATE SET
  ${SUMS.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(",\n  ")},
  latency = CASE WHEN cardinality(${table}.latency) + cardinality(excluded.latency) > ${MAX_LOOSE_ELEMENTS}
    THEN sluice_merge_histogram(${merged}) ELSE ${merged} END`;
}
