import pg from "pg";
import type { AttemptStarted, CallFinished } from "../../core/ledger.ts";
import { type LedgerStore, RefusedRecordsError } from "../spool/ledger-store.ts";
import { attemptKey, type SpooledAttemptFinished, type SpooledRecord } from "../spool/record.ts";
import { inTransaction } from "./transaction.ts";

/**
 * Records go in as one JSON text per kind: a statement for each, however many records there are. What is already there
 * stays as it is, so that records may arrive twice: the first end of an attempt counts.
 */
const INSERT_CALLS = `
INSERT INTO calls (tenant, call_id, feature, user_id, method, prompt_name, prompt_version, model, answered_by, input_hash,
  cache_status, attempts, prompt_tokens, cached_prompt_tokens, completion_tokens, reasoning_tokens, usage_estimated,
  cost_nano_usd, saved_nano_usd, latency_ms, stage_ms, synthetic, error_reason, started_at, finished_at)
SELECT tenant, call_id, feature, "user", method, prompt_name, prompt_version, model, answered_by, input_hash,
  cache_status, attempts, prompt_tokens, cached_prompt_tokens, completion_tokens, reasoning_tokens, usage_estimated,
  cost_nano_usd, saved_nano_usd, latency_ms, stage_ms, synthetic, error_reason, started_at, finished_at
FROM jsonb_to_recordset($1::jsonb) AS record (tenant text, call_id text, feature text, "user" text, method text,
  prompt_name text, prompt_version text, model text, answered_by text, input_hash text, cache_status text,
  attempts integer, prompt_tokens bigint, cached_prompt_tokens bigint, completion_tokens bigint, reasoning_tokens bigint,
  usage_estimated boolean, cost_nano_usd bigint, saved_nano_usd bigint, latency_ms bigint, stage_ms jsonb,
  synthetic boolean, error_reason text, started_at timestamptz, finished_at timestamptz)
ON CONFLICT (tenant, call_id) DO NOTHING`;

const UPSERT_STARTS = `
INSERT INTO attempts (tenant, call_id, attempt, feature, user_id, model, provider, provider_model, cause, wait_ms,
  estimated_prompt_tokens, estimated_cost_nano_usd, started_at)
SELECT tenant, call_id, attempt, feature, "user", model, provider, provider_model, cause, wait_ms,
  estimated_prompt_tokens, estimated_cost_nano_usd, started_at
FROM jsonb_to_recordset($1::jsonb) AS record (tenant text, call_id text, attempt integer, feature text, "user" text,
  model text, provider text, provider_model text, cause text, wait_ms bigint, estimated_prompt_tokens bigint,
  estimated_cost_nano_usd bigint, started_at timestamptz)
ON CONFLICT (tenant, call_id, attempt) DO UPDATE SET feature = excluded.feature, user_id = excluded.user_id,
  model = excluded.model, provider = excluded.provider, provider_model = excluded.provider_model,
  cause = excluded.cause, wait_ms = excluded.wait_ms, estimated_prompt_tokens = excluded.estimated_prompt_tokens,
  estimated_cost_nano_usd = excluded.estimated_cost_nano_usd, started_at = excluded.started_at
WHERE attempts.started_at IS NULL`;

const UPSERT_ENDS = `
INSERT INTO attempts (tenant, call_id, attempt, prompt_tokens, cached_prompt_tokens, completion_tokens,
  reasoning_tokens, usage_estimated, cost_nano_usd, price_version, latency_ms, time_to_first_token_ms, http_status,
  error_reason, finished_at)
SELECT tenant, call_id, attempt, prompt_tokens, cached_prompt_tokens, completion_tokens,
  reasoning_tokens, usage_estimated, cost_nano_usd, price_version, latency_ms, time_to_first_token_ms, http_status,
  error_reason, finished_at
FROM jsonb_to_recordset($1::jsonb) AS record (tenant text, call_id text, attempt integer, prompt_tokens bigint,
  cached_prompt_tokens bigint, completion_tokens bigint, reasoning_tokens bigint, usage_estimated boolean,
  cost_nano_usd bigint, price_version text, latency_ms bigint, time_to_first_token_ms bigint, http_status integer,
  error_reason text, finished_at timestamptz)
ON CONFLICT (tenant, call_id, attempt) DO UPDATE SET prompt_tokens = excluded.prompt_tokens,
  cached_prompt_tokens = excluded.cached_prompt_tokens, completion_tokens = excluded.completion_tokens,
  reasoning_tokens = excluded.reasoning_tokens, usage_estimated = excluded.usage_estimated,
  cost_nano_usd = excluded.cost_nano_usd, price_version = excluded.price_version, latency_ms = excluded.latency_ms,
  time_to_first_token_ms = excluded.time_to_first_token_ms, http_status = excluded.http_status,
  error_reason = excluded.error_reason, finished_at = excluded.finished_at
WHERE attempts.finished_at IS NULL`;

/** The ledger's tables over a pool whose database is migrated. `close` leaves the pool to whoever opened it. */
export function createLedgerStore(pool: pg.Pool): LedgerStore {
  return {
    async write(records) {
      try {
        await inTransaction(pool, (client) => insert(client, records));
      } catch (error) {
        throw isRefusal(error) ? new RefusedRecordsError(error.message, { cause: error }) : error;
      }
    },
    async close() {},
  };
}

async function insert(client: pg.PoolClient, records: readonly SpooledRecord[]): Promise<void> {
  const calls = new Map<string, CallFinished>();
  const starts = new Map<string, AttemptStarted>();
  const ends = new Map<string, SpooledAttemptFinished>();
  for (const record of records) {
    if (record.type === "call_finished") addFirst(calls, `${record.tenant}/${record.call_id}`, record);
    else if (record.type === "attempt_started") addFirst(starts, `${record.tenant}/${attemptKey(record)}`, record);
    else addFirst(ends, `${record.tenant}/${attemptKey(record)}`, record);
  }
  if (starts.size > 0) await client.query(UPSERT_STARTS, [JSON.stringify([...starts.values()])]);
  if (ends.size > 0) await client.query(UPSERT_ENDS, [JSON.stringify([...ends.values()])]);
  if (calls.size > 0) await client.query(INSERT_CALLS, [JSON.stringify([...calls.values()])]);
}

/** One statement may touch a row once only, so repetitions within a batch are left out here. */
function addFirst<T>(records: Map<string, T>, key: string, record: T): void {
  if (!records.has(key)) records.set(key, record);
}

/**
 * Whether the database refused what is in the records: SQLSTATE class 22 (data exception, such as a NUL in a text or a
 * number out of range), 23 (constraint), 54 (a value too large for an index). Every other error says that the database
 * or the connection has a problem, which passes.
 */
function isRefusal(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && /^(22|23|54)/.test(error.code ?? "");
}
