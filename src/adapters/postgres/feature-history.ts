import type pg from "pg";
import type { FeatureHistory, MeasuredCalls } from "../../core/estimate.ts";
import { UsageDatabase } from "./usage-database.ts";

/** What a person waits for, and short enough for the other users of the pool. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** Beside the four of the usage store; the drain of the ledger and idempotent calls need the rest of the pool. */
const MAX_CONCURRENCY = 2;

/**
 * Attempts that used no tokens, such as refused ones, are not paid and not counted. Calls that failed before a model was
 * asked are neither free nor paying: they say nothing about the cache.
 */
const MEASURE = `
WITH measured AS (
  SELECT call_id, attempts, cache_status, error_reason FROM calls
  WHERE tenant = $1 AND called_at >= $2 AND called_at < $3
    AND ($4 = '' OR feature = $4) AND ($5 = '' OR prompt_name = $5)
), paid AS (
  SELECT count(*) AS attempts, coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
    coalesce(sum(cached_prompt_tokens), 0) AS cached_prompt_tokens,
    coalesce(sum(completion_tokens), 0) AS completion_tokens, coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens
  FROM attempts
  WHERE tenant = $1 AND called_at >= $2 AND called_at < $3 AND prompt_tokens + completion_tokens > 0
    AND call_id IN (SELECT call_id FROM measured WHERE measured.attempts > 0)
)
SELECT paid.*, free_calls, paying_calls FROM paid, (
  SELECT count(*) FILTER (WHERE error_reason = ''
      AND cache_status IN ('memory_hit', 'shared_hit', 'joined', 'replayed')) AS free_calls,
    count(*) FILTER (WHERE attempts > 0) AS paying_calls
  FROM measured
) AS counted`;

/** Counts and sums as the driver gives them: decimal text, since they may be larger than a double holds. */
type Row = Readonly<
  Record<
    | "attempts"
    | "prompt_tokens"
    | "cached_prompt_tokens"
    | "completion_tokens"
    | "reasoning_tokens"
    | "free_calls"
    | "paying_calls",
    string
  >
>;

/**
 * What the ledger's tables say of past calls, in one query that reads every call of the span.
 * @param pool of a migrated database, which may still be opening; where that takes longer than `openingMs` (default 15
 *   seconds after the start) or failed, every question is refused.
 */
export function createFeatureHistory(
  pool: Promise<pg.Pool>,
  { openingMs }: { openingMs?: number } = {},
): FeatureHistory {
  const database = new UsageDatabase({
    pool,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    maxConcurrency: MAX_CONCURRENCY,
    openingMs,
  });
  return {
    async measure(tenant, { feature, prompt, fromMs, toMs }) {
      const values = [tenant, new Date(fromMs), new Date(toMs), feature, prompt];
      const { rows } = await database.read((client) => client.query<Row>(MEASURE, values));
      const calls = rows[0] && measuredCalls(rows[0]);
      return calls && calls.freeCalls + calls.payingCalls > 0n ? calls : undefined;
    },
  };
}

function measuredCalls(row: Row): MeasuredCalls {
  return {
    freeCalls: BigInt(row.free_calls),
    payingCalls: BigInt(row.paying_calls),
    attempts: BigInt(row.attempts),
    promptTokens: BigInt(row.prompt_tokens),
    cachedPromptTokens: BigInt(row.cached_prompt_tokens),
    completionTokens: BigInt(row.completion_tokens),
    reasoningTokens: BigInt(row.reasoning_tokens),
  };
}
