import type { AttemptFinished, AttemptStarted, CallFinished } from "../../core/ledger.ts";

/**
 * A record as the spool keeps it. The end of an attempt carries the tenant of its start, so that each record finds its
 * row, under its tenant, without the others.
 */
export type SpooledRecord = AttemptStarted | SpooledAttemptFinished | CallFinished;

export type SpooledAttemptFinished = AttemptFinished & { readonly tenant: string };

/** The reason of an attempt whose process died before its end was recorded: it is charged what was estimated at its start. */
export const OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN";

export function attemptKey(record: { readonly call_id: string; readonly attempt: number }): string {
  return `${record.call_id}/${record.attempt}`;
}

/** The end that an attempt is given when the process that sent it died: the estimate of its start, marked as such. */
export function endOfAbandoned(start: AttemptStarted, finishedAt: string): SpooledAttemptFinished {
  return {
    type: "attempt_finished",
    tenant: start.tenant,
    call_id: start.call_id,
    attempt: start.attempt,
    prompt_tokens: start.estimated_prompt_tokens,
    cached_prompt_tokens: 0,
    completion_tokens: 0,
    reasoning_tokens: 0,
    usage_estimated: true,
    cost_nano_usd: start.estimated_cost_nano_usd,
    price_version: null,
    latency_ms: 0,
    time_to_first_token_ms: null,
    http_status: 0,
    error_reason: OUTCOME_UNKNOWN,
    finished_at: finishedAt,
  };
}

/**
 * Whether a decoded line is a record. The checksum already says that Sluice wrote it; this says that it was a version
 * that names its records the same way.
 */
export function isSpooledRecord(value: unknown): value is SpooledRecord {
  if (typeof value !== "object" || value === null || !("type" in value)) return false;
  if (!("call_id" in value && typeof value.call_id === "string")) return false;
  if (!("tenant" in value && typeof value.tenant === "string")) return false;
  if (value.type === "call_finished") return true;
  const isAttempt = value.type === "attempt_started" || value.type === "attempt_finished";
  return isAttempt && "attempt" in value && typeof value.attempt === "number";
}
