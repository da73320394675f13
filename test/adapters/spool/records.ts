import { randomUUID } from "node:crypto";
import type { AttemptFinished, AttemptStarted, CallFinished } from "../../../src/core/ledger.ts";

/** A start of an attempt with plausible values. */
export function attemptStarted(fields: Partial<AttemptStarted> = {}): AttemptStarted {
  return {
    type: "attempt_started",
    call_id: randomUUID(),
    attempt: 1,
    tenant: "acme",
    feature: "summaries",
    user: "u-1",
    key_id: "billing",
    method: "Complete",
    prompt_name: "summarize",
    prompt_version: "v1",
    model: "fast",
    provider: "main",
    provider_model: "gpt-5-mini",
    synthetic: false,
    cause: "initial",
    wait_ms: 0,
    estimated_prompt_tokens: 1200,
    estimated_cost_nano_usd: "300000",
    started_at: "2026-03-01T10:00:00.000Z",
    ...fields,
  };
}

/** The end of an attempt that a start began. */
export function endOf(start: AttemptStarted, fields: Partial<AttemptFinished> = {}): AttemptFinished {
  return {
    type: "attempt_finished",
    call_id: start.call_id,
    attempt: start.attempt,
    prompt_tokens: 1234,
    cached_prompt_tokens: 1000,
    completion_tokens: 56,
    reasoning_tokens: 7,
    usage_estimated: false,
    cost_nano_usd: "412345",
    price_version: "genai-prices 0.1.8",
    latency_ms: 900,
    time_to_first_token_ms: 210,
    http_status: 200,
    error_reason: "",
    finished_at: "2026-03-01T10:00:00.900Z",
    ...fields,
  };
}

/** The end of a call. Without a start it is a call that a cache answered. */
export function callFinished(start?: AttemptStarted, fields: Partial<CallFinished> = {}): CallFinished {
  return {
    type: "call_finished",
    call_id: start?.call_id ?? randomUUID(),
    tenant: start?.tenant ?? "acme",
    feature: "summaries",
    user: "u-1",
    key_id: "billing",
    method: "Complete",
    prompt_name: "summarize",
    prompt_version: "v1",
    model: "fast",
    answered_by: "gpt-5-mini",
    input_hash: "ab".repeat(32),
    cache_status: start ? "miss" : "memory_hit",
    attempts: start ? 1 : 0,
    prompt_tokens: 1234,
    cached_prompt_tokens: 1000,
    completion_tokens: 56,
    reasoning_tokens: 7,
    usage_estimated: false,
    cost_nano_usd: start ? "412345" : "0",
    saved_nano_usd: start ? "0" : "412345",
    latency_ms: 950,
    stage_ms: { validate: 1, call_model: 900 },
    synthetic: false,
    error_reason: "",
    started_at: "2026-03-01T10:00:00.000Z",
    finished_at: "2026-03-01T10:00:00.950Z",
    ...fields,
  };
}
