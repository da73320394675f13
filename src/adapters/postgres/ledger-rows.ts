import type { AttemptStarted, CallFinished } from "../../core/ledger.ts";
import { attemptKey, type SpooledAttemptFinished, type SpooledRecord } from "../spool/record.ts";

const CALL_COLUMNS = `tenant, call_id, feature, %user, key_id, method, prompt_name, prompt_version, model,
  answered_by, input_hash, cache_status, attempts, prompt_tokens, cached_prompt_tokens, completion_tokens, reasoning_tokens,
  usage_estimated, cost_nano_usd, saved_nano_usd, latency_ms, stage_ms, synthetic, error_reason, started_at, finished_at`;

const START_COLUMNS = [
  "feature",
  "user_id",
  "key_id",
  "method",
  "prompt_name",
  "prompt_version",
  "model",
  "provider",
  "provider_model",
  "synthetic",
  "cause",
  "wait_ms",
  "estimated_prompt_tokens",
  "estimated_cost_nano_usd",
  "started_at",
] as const;

const END_COLUMNS = [
  "prompt_tokens",
  "cached_prompt_tokens",
  "completion_tokens",
  "reasoning_tokens",
  "usage_estimated",
  "cost_nano_usd",
  "price_version",
  "latency_ms",
  "time_to_first_token_ms",
  "http_status",
  "error_reason",
  "finished_at",
] as const;

/** Columns of one part take what came, unless that part was there already. */
const takenUnless = (isThere: string, columns: readonly string[]) =>
  columns
    .map((name) => `${name} = CASE WHEN attempts.${isThere} IS NULL THEN excluded.${name} ELSE attempts.${name} END`)
    .join(", ");

/**
 * The begin of a statement that stores a batch and says what is really new in it, as `new_attempts` and `new_calls`. What
 * is there already stays as it is, so that records may arrive twice: the first end of an attempt counts.
 */
export const INSERT_ROWS = `
WITH new_attempts AS (
  INSERT INTO attempts (tenant, call_id, attempt, ${START_COLUMNS.join(", ")}, ${END_COLUMNS.join(", ")})
  SELECT tenant, call_id, attempt, ${START_COLUMNS.join(", ")}, ${END_COLUMNS.join(", ")}
  FROM jsonb_to_recordset($1::jsonb) AS record (tenant text, call_id text, attempt integer, feature text, user_id text,
    key_id text, method text, prompt_name text, prompt_version text, model text, provider text, provider_model text,
    synthetic boolean, cause text, wait_ms bigint, estimated_prompt_tokens bigint, estimated_cost_nano_usd bigint,
    started_at timestamptz, prompt_tokens bigint, cached_prompt_tokens bigint, completion_tokens bigint,
    reasoning_tokens bigint, usage_estimated boolean, cost_nano_usd bigint, price_version text, latency_ms bigint,
    time_to_first_token_ms bigint, http_status integer, error_reason text, finished_at timestamptz)
  ON CONFLICT (tenant, call_id, attempt) DO UPDATE SET ${takenUnless("started_at", START_COLUMNS)},
    ${takenUnless("finished_at", END_COLUMNS)}, end_came_first = attempts.started_at IS NULL
  WHERE (attempts.started_at IS NULL AND excluded.started_at IS NOT NULL)
    OR (attempts.finished_at IS NULL AND excluded.finished_at IS NOT NULL)
  RETURNING attempts.*
), new_calls AS (
  INSERT INTO calls (${CALL_COLUMNS.replace("%user", "user_id")})
  SELECT ${CALL_COLUMNS.replace("%user", '"user"')}
  FROM jsonb_to_recordset($2::jsonb) AS record (tenant text, call_id text, feature text, "user" text, key_id text,
    method text, prompt_name text, prompt_version text, model text, answered_by text, input_hash text, cache_status text,
    attempts integer, prompt_tokens bigint, cached_prompt_tokens bigint, completion_tokens bigint,
    reasoning_tokens bigint, usage_estimated boolean, cost_nano_usd bigint, saved_nano_usd bigint, latency_ms bigint,
    stage_ms jsonb, synthetic boolean, error_reason text, started_at timestamptz, finished_at timestamptz)
  ON CONFLICT (tenant, call_id) DO NOTHING
  RETURNING calls.*
)`;

type AttemptRow = Partial<Omit<AttemptStarted, "type">> & Partial<Omit<SpooledAttemptFinished, "type">>;

/** The rows of attempts and of calls as JSON, sorted by their keys. One statement may touch a row once only. */
export function rowParameters(records: readonly SpooledRecord[]): [attempts: string, calls: string] {
  const calls = new Map<string, CallFinished>();
  const attempts = new Map<string, { start?: AttemptStarted; end?: SpooledAttemptFinished }>();
  for (const record of records) {
    if (record.type === "call_finished") {
      const key = `${record.tenant}/${record.call_id}`;
      if (!calls.has(key)) calls.set(key, record);
      continue;
    }
    const key = `${record.tenant}/${attemptKey(record)}`;
    const attempt = attempts.get(key) ?? {};
    if (record.type === "attempt_started") attempt.start ??= record;
    else attempt.end ??= record;
    attempts.set(key, attempt);
  }
  return [JSON.stringify(byKey(attempts).map(attemptRow)), JSON.stringify(byKey(calls).map(callRow))];
}

function byKey<T>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function attemptRow({ start, end }: { start?: AttemptStarted; end?: SpooledAttemptFinished }): object {
  return { ...(start && startRow(start)), ...end } satisfies AttemptRow;
}

/** What records of older programs lack is empty. */
function startRow({ user, ...start }: AttemptStarted): object {
  const lacked = { key_id: "", method: "", prompt_name: "", prompt_version: "", synthetic: false };
  return Object.assign(lacked, start, { user_id: user });
}

function callRow(call: CallFinished): object {
  return Object.assign({ key_id: "" }, call);
}
