import assert from "node:assert/strict";
import type { Attempt } from "../../../gen/sluice/v1/attempt_pb.ts";
import type { AttemptFinished, AttemptStarted, CallFinished } from "../../../src/core/ledger.ts";
import { costNanoUsd } from "../../../src/core/money.ts";
import { testPrice } from "../../support/pipeline-ports.ts";
import type { Observation, SeenCaller } from "../observation.ts";
import { labelOf } from "./attempts.ts";

/** The start of an attempt is in the ledger before it is sent, its end exactly once and after its start. */
export function everyAttemptIsRecordedOnce({ attempts, records }: Observation): void {
  for (const attempt of attempts) {
    assert.ok(attempt.wasRecorded, `${labelOf(attempt)} was sent before its start was recorded`);
  }
  const starts = records.flatMap(({ record }) => (record.type === "attempt_started" ? [keyOf(record)] : []));
  const ends = records.flatMap(({ record }) => (record.type === "attempt_finished" ? [keyOf(record)] : []));
  assert.equal(new Set(starts).size, starts.length, `an attempt was begun twice: ${starts.join(" ")}`);
  assert.deepEqual([...ends].sort(), [...starts].sort(), "what was begun is not what was ended");
  const sent = attempts.map(({ request }) => `${request.callId}#${request.attempt}`);
  for (const key of sent) assert.ok(starts.includes(key), `${key} was sent and never recorded`);
}

/** Each caller has exactly one row, after those of its attempts, which says how it ended. */
export function everyCallHasOneRow({ callers, records }: Observation): void {
  for (const caller of callers) {
    const rows = records.flatMap(({ record }) =>
      record.type === "call_finished" && record.call_id === caller.id ? [record] : [],
    );
    const [row] = rows;
    assert.ok(row && rows.length === 1, `${caller.id} has ${rows.length} rows`);
    assert.equal(row.tenant, caller.plan.tenant);
    const last = records.findLast(({ record }) => record.call_id === caller.id);
    assert.equal(last?.record.type, "call_finished", `${caller.id} was charged after its row`);
    if (caller.completion) assert.equal(row.error_reason, "", `${caller.id} succeeded`);
    if (caller.failure) assert.equal(row.error_reason, caller.failure.reason, `${caller.id} failed otherwise`);
  }
}

/** What the provider reported is charged as it was; what it did not report but may charge for is estimated. */
export function tokensAreChargedAsReported({ attempts, records }: Observation): void {
  const ended = new Map(
    records.flatMap(({ record }) => (record.type === "attempt_finished" ? [[keyOf(record), record] as const] : [])),
  );
  for (const attempt of attempts) {
    const record = ended.get(`${attempt.request.callId}#${attempt.request.attempt}`);
    if (!record) continue;
    const { reported } = attempt;
    if (reported && attempt.end !== "left") {
      assert.deepEqual(countsOf(record), reported, `${labelOf(attempt)} is charged otherwise than reported`);
      continue;
    }
    const mustEstimate = attempt.end !== "failed" || attempt.text !== "";
    if (mustEstimate) {
      assert.ok(record.usage_estimated && record.prompt_tokens > 0, `${labelOf(attempt)} is charged nothing`);
    }
    if (attempt.text.trim())
      assert.ok(record.completion_tokens > 0, `${labelOf(attempt)}: what it wrote is not charged`);
  }
}

/** What a call says it used is the sum of its attempts, in the answer as in the ledger, and so is its price. */
export function totalsAreSums({ plan, callers, records }: Observation): void {
  for (const caller of callers) {
    const ended = records.flatMap(({ record }) =>
      record.type === "attempt_finished" && record.call_id === caller.id ? [record] : [],
    );
    const row = records.find(({ record }) => record.type === "call_finished" && record.call_id === caller.id)?.record;
    if (row?.type !== "call_finished") continue;
    checkRow(caller, row, ended, plan.hasPrices);
    const { completion } = caller;
    if (!completion) continue;
    assert.equal(completion.attempts.length, ended.length, `${caller.id}: attempts in the answer and in the ledger`);
    assert.deepEqual(completion.attempts.map(ofAttempt), ended.map(ofRecord), `${caller.id}: answer and ledger differ`);
    const { usage, costNanoUsd: cost } = completion;
    const sum = (field: "promptTokens" | "cachedPromptTokens" | "completionTokens" | "reasoningTokens") =>
      completion.attempts.reduce((total, attempt) => total + (attempt.usage?.[field] ?? 0n), 0n);
    for (const field of ["promptTokens", "cachedPromptTokens", "completionTokens", "reasoningTokens"] as const) {
      assert.equal(usage?.[field], sum(field), `${caller.id}: ${field} is no sum`);
    }
    assert.equal(cost?.toString() ?? null, row.cost_nano_usd, `${caller.id}: cost in the answer and in the ledger`);
  }
}

function checkRow(caller: SeenCaller, row: CallFinished, ended: readonly AttemptFinished[], hasPrices: boolean): void {
  assert.equal(row.attempts, ended.length, `${caller.id}: attempts of the row`);
  const total = (field: "prompt_tokens" | "completion_tokens") => ended.reduce((sum, record) => sum + record[field], 0);
  assert.equal(row.prompt_tokens, total("prompt_tokens"), `${caller.id}: prompt tokens of the row`);
  assert.equal(row.completion_tokens, total("completion_tokens"), `${caller.id}: completion tokens of the row`);
  for (const record of ended) {
    const counts = countsOf(record);
    const isFree = counts.promptTokens === 0 && counts.completionTokens === 0;
    const cost = isFree ? "0" : hasPrices ? costNanoUsd(counts, testPrice).toString() : null;
    assert.equal(record.cost_nano_usd, cost, `${caller.id}: price of attempt ${record.attempt}`);
  }
  const isUnknown = ended.some((record) => record.cost_nano_usd === null);
  const cost = ended.reduce((sum, record) => sum + BigInt(record.cost_nano_usd ?? 0), 0n);
  assert.equal(row.cost_nano_usd, isUnknown ? null : cost.toString(), `${caller.id}: price of the row`);
}

function keyOf({ call_id, attempt }: AttemptStarted | AttemptFinished): string {
  return `${call_id}#${attempt}`;
}

function countsOf(record: AttemptFinished) {
  return {
    promptTokens: record.prompt_tokens,
    cachedPromptTokens: record.cached_prompt_tokens,
    completionTokens: record.completion_tokens,
    reasoningTokens: record.reasoning_tokens,
  };
}

function ofAttempt({ number, usage, costNanoUsd: cost }: Attempt): string {
  return [number, usage?.promptTokens, usage?.completionTokens, usage?.estimated, cost ?? null].join(" ");
}

function ofRecord(record: AttemptFinished): string {
  const { attempt, prompt_tokens, completion_tokens, usage_estimated, cost_nano_usd } = record;
  return [attempt, prompt_tokens, completion_tokens, usage_estimated, cost_nano_usd].join(" ");
}
