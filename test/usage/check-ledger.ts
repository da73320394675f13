import assert from "node:assert/strict";
import { NO_ANSWER, type SeenCall } from "../../bench/week/callers.ts";
import { priceRequest, priceTokens } from "../../bench/week/price-tag.ts";
import type { Sums } from "../../bench/week/recount.ts";
import type { LoggedRequest } from "../../bench/week/upstream.ts";
import type { Stored, StoredAttempt, StoredCall } from "./stored.ts";

/** What is there to compare. */
export interface Evidence {
  readonly seen: readonly SeenCall[];
  readonly log: readonly LoggedRequest[];
  readonly stored: Stored;
  /** The total of `SummarizeUsage`. */
  readonly total: Partial<Sums>;
}

/** What of it nobody was there to see the end of. */
export interface Unknown {
  /** Requests of the log whose process died: they are charged as estimated. */
  readonly abandoned: number;
  /** Attempts that were recorded and, before they were sent, lost their process: charged as estimated all the same. */
  readonly neverSent: number;
}

/**
 * Every call that was answered, and every request that the provider saw, is in the ledger exactly once, at the price
 * that the log says, or, where the process died, at the price of our own count; and the sums are those of the rows.
 */
export function checkLedger({ seen, log, stored, total }: Evidence): Unknown {
  const calls = indexed(stored.calls, ({ call_id }) => call_id);
  for (const call of seen) if (isAnswered(call)) checkCall(call, calls.get(call.callId));
  const attempts = indexed(stored.attempts, ({ call_id, attempt }) => `${call_id}/${attempt}`);
  const requests = indexed(log, ({ callId, attempt }) => `${callId}/${attempt}`);
  let abandoned = 0;
  for (const [key, request] of requests) {
    if (checkAttempt(request, attempts.get(key)) === "abandoned") abandoned += 1;
  }
  const neverSent = [...attempts].filter(([key]) => !requests.has(key)).map(([, attempt]) => attempt);
  for (const attempt of neverSent) checkEstimate(attempt);
  checkSums(stored, total);
  return { abandoned, neverSent: neverSent.length };
}

/** Whether the caller was told how it ended. */
function isAnswered({ callId, errorReason }: SeenCall): boolean {
  return callId !== "" && errorReason !== NO_ANSWER;
}

function indexed<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T> {
  const index = new Map<string, T>();
  for (const one of list) {
    assert.ok(!index.has(keyOf(one)), `${keyOf(one)} is there twice`);
    index.set(keyOf(one), one);
  }
  return index;
}

function checkCall(call: SeenCall, row: StoredCall | undefined): void {
  assert.ok(row, `the call ${call.callId} was answered and has no row`);
  const { planned, errorReason, costNanoUsd } = call;
  assert.deepEqual(
    [row.tenant, row.feature, row.user_id, row.error_reason],
    [planned.tenant.name, planned.feature.name, planned.user, errorReason],
  );
  if (errorReason === "") assert.equal(row.cost_nano_usd, costNanoUsd?.toString() ?? null, `cost of ${call.callId}`);
}

function checkAttempt(request: LoggedRequest, row: StoredAttempt | undefined): "as logged" | "abandoned" {
  const name = `attempt ${request.attempt} of ${request.callId}`;
  assert.ok(row, `the provider saw ${name}, the ledger did not`);
  assert.equal(row.provider_model, request.providerModel);
  if (row.error_reason === "OUTCOME_UNKNOWN") {
    checkEstimate(row);
    return "abandoned";
  }
  const { tokens, nanoUsd, isEstimated } = priceRequest(request);
  assert.equal(row.usage_estimated, isEstimated, name);
  // Our own count depends on how soon after the start it was made; what it costs does not.
  const counted = isEstimated ? tokensOf(row) : tokens;
  assert.deepEqual(tokensOf(row), { ...counted, written: 0 }, name);
  const cost = isEstimated ? priceTokens(request.providerModel, counted) : nanoUsd;
  assert.equal(row.cost_nano_usd, cost?.toString() ?? null, `cost of ${name}`);
  return "as logged";
}

function tokensOf(row: StoredAttempt) {
  return {
    prompt: Number(row.prompt_tokens),
    cached: Number(row.cached_prompt_tokens),
    written: 0,
    completion: Number(row.completion_tokens),
    reasoning: Number(row.reasoning_tokens),
  };
}

/** Its process died: it is charged our own count of its prompt. */
function checkEstimate(row: StoredAttempt): void {
  const name = `attempt ${row.attempt} of ${row.call_id}`;
  const prompt = Number(row.estimated_prompt_tokens);
  assert.equal(row.error_reason, "OUTCOME_UNKNOWN", name);
  assert.equal(row.usage_estimated, true, name);
  assert.ok(prompt > 0, name);
  assert.deepEqual(tokensOf(row), { prompt, cached: 0, written: 0, completion: 0, reasoning: 0 }, name);
  assert.equal(row.cost_nano_usd, priceTokens(row.provider_model, { prompt })?.toString() ?? null, `cost of ${name}`);
}

function checkSums({ calls, attempts }: Stored, total: Partial<Sums>): void {
  const sum = (pick: (attempt: StoredAttempt) => string | null) =>
    attempts.reduce((amount, attempt) => amount + BigInt(pick(attempt) ?? "0"), 0n);
  assert.deepEqual(
    {
      calls: total.calls,
      attempts: total.attempts,
      promptTokens: total.promptTokens,
      completionTokens: total.completionTokens,
      costNanoUsd: total.costNanoUsd,
      unpricedAttempts: total.unpricedAttempts,
      estimatedAttempts: total.estimatedAttempts,
    },
    {
      calls: BigInt(calls.length),
      attempts: BigInt(attempts.length),
      promptTokens: sum((attempt) => attempt.prompt_tokens),
      completionTokens: sum((attempt) => attempt.completion_tokens),
      costNanoUsd: sum((attempt) => attempt.cost_nano_usd),
      unpricedAttempts: BigInt(attempts.filter((attempt) => attempt.cost_nano_usd === null).length),
      estimatedAttempts: BigInt(attempts.filter((attempt) => attempt.usage_estimated).length),
    },
  );
}
