import assert from "node:assert/strict";
import { CacheMode } from "../../../gen/sluice/v1/completion_input_pb.ts";
import type { Failure, FailureReason } from "../../../src/core/failure.ts";
import { isGoodAnswer } from "../answer-texts.ts";
import { reasonOfKind } from "../fault-classes.ts";
import type { Observation, SeenCaller, UpstreamAttempt } from "../observation.ts";
import { SECRET } from "../secret.ts";

/** Nothing that was scripted is a bug. */
export function nothingIsInternal({ callers, echoes, lines }: Observation): void {
  for (const { id, bug, failure } of [...callers, ...echoes.map(({ caller }) => caller)]) {
    if (bug !== undefined) throw new Error(`${id} met a bug: ${bug}`, { cause: bug });
    assert.notEqual(failure?.reason, "INTERNAL", `${id} failed with INTERNAL`);
  }
  for (const { event } of lines) assert.ok(!/internal|not_recorded/.test(event), `the log says ${event}`);
}

/** Every failure is one that the script explains. */
export function failuresHaveACause(run: Observation): void {
  for (const caller of run.callers) {
    const { failure } = caller;
    if (!failure || failure.reason === "INTERNAL") continue;
    const explained = explanations(caller, run);
    assert.ok(explained.has(failure.reason), `${caller.id} failed with ${failure.reason}, not ${[...explained]}`);
  }
}

/** A call that met one thing only fails with what that thing means. */
export function oneCauseHasOneReason(run: Observation): void {
  for (const caller of run.callers) {
    const { failure } = caller;
    if (!failure || caller.aborted || run.callers.length > 1) continue;
    const reasons = new Set(run.attempts.map((attempt) => ownReason(attempt)));
    const [only] = reasons;
    if (run.attempts.length === 0 || reasons.size !== 1 || only === undefined) continue;
    const allowed = mayMeanTwoThings(run.attempts) ? new Set([only, "MODEL_UNAVAILABLE", "RATE_LIMITED"]) : reasons;
    assert.ok(allowed.has(failure.reason), `${caller.id} met ${only} alone and failed with ${failure.reason}`);
  }
}

/** A call does not give up while attempts and time are left and its failure is one that passes. */
export function callsDoNotEndEarly({ plan, callers, attempts }: Observation): void {
  const [caller] = callers;
  if (!caller?.failure || callers.length > 1 || caller.aborted) return;
  const last = attempts.at(-1);
  if (!last?.over || !caller.settled || attempts.length >= plan.retry.maxAttempts) return;
  // What the gate of the model makes of many failures is its own business.
  if (attempts.filter(({ model }) => model === last.model).length >= 5 || !mayPass(last, plan)) return;
  const longestMs = Math.max(last.toldMs ?? 0, plan.retry.backoffMaxMs) * 1.05 + 5000;
  const leftMs = caller.deadlineMs - caller.settled.ms;
  assert.ok(leftMs < longestMs, `${caller.id} gave up after ${last.outcome.fault} with ${leftMs} ms left`);
}

/** The wait that a caller is told is no longer than one that a provider asked for. */
export function toldFailuresSayTheTrueWait({ callers, attempts }: Observation): void {
  for (const { id, failure } of callers) {
    if (failure?.reason !== "RATE_LIMITED" || failure.retryAfterMs === undefined) continue;
    const told = attempts.filter(({ kind }) => kind !== undefined).map(({ toldMs }) => toldMs ?? -1);
    assert.ok(failure.retryAfterMs <= Math.max(...told), `${id} is told to wait ${failure.retryAfterMs} ms`);
  }
}

/** No failure and no log line holds a word of what was asked; the log holds nothing of the answers either. */
export function nothingLeaks({ callers, lines }: Observation): void {
  for (const { id, failure } of callers) {
    if (failure) assert.ok(!text(failure).includes(SECRET), `the failure of ${id} holds its question`);
  }
  const log = lines.map(text).join("\n");
  assert.ok(!log.includes(SECRET), "the log holds a question");
  assert.ok(!log.includes("sails at"), "the log holds an answer");
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => (typeof field === "bigint" ? String(field) : field));
}

function explanations(caller: SeenCaller, { attempts, plan }: Observation): ReadonlySet<FailureReason> {
  const reasons = new Set<FailureReason>();
  const { question, aborted } = caller;
  if (aborted) reasons.add(aborted.reason);
  // Who leaves while the shared cache is asked is told when it has answered, and by then the time may be over.
  if (aborted && caller.settled && caller.settled.ms >= caller.deadlineMs) reasons.add("DEADLINE_EXCEEDED");
  if (question.isInvalid) reasons.add("INVALID_REQUEST");
  if (question.model === "nobody") reasons.add("UNKNOWN_MODEL");
  if (caller.plan.cacheMode === CacheMode.ONLY_IF_CACHED) reasons.add("CACHE_MISS");
  // Whether a prompt fits is not scripted, but can only be asked of small windows.
  if (plan.models.some(({ contextTokens }) => contextTokens <= 1000)) reasons.add("CONTEXT_OVERFLOW");
  for (const attempt of attempts) {
    const reason = ownReason(attempt);
    // Others are told of windows and outages that this call's models met before it.
    if (reason && (isOfFlight(attempt, caller) || isShared(attempt))) reasons.add(reason);
    if (isShared(attempt)) reasons.add("MODEL_UNAVAILABLE");
  }
  if (plan.models.some(({ maxConcurrency }) => maxConcurrency < plan.callers.length)) reasons.add("OVERLOADED");
  return reasons;
}

/** Identical calls may share one piece of work, whoever began it. */
function isOfFlight(attempt: UpstreamAttempt, { plan }: SeenCaller): boolean {
  return attempt.caller.plan.question === plan.question && attempt.caller.plan.tenant === plan.tenant;
}

const sharedKinds: ReadonlySet<string | undefined> = new Set([
  "rate_limited",
  "overloaded",
  "unreachable",
  "stream_interrupted",
  "first_byte_timeout",
  "idle_timeout",
  "attempt_timeout",
  "unknown",
]);

function isShared({ kind }: UpstreamAttempt): boolean {
  return sharedKinds.has(kind);
}

/** What a call fails with that meets nothing but this. Undefined where it is an answer to keep. */
function ownReason({ kind, outcome, caller, end }: UpstreamAttempt): Failure["reason"] | undefined {
  if (kind) return reasonOfKind[kind];
  if (outcome.fault === "read_a_part" && end !== "left" && caller.question.words > 0) return "CONTEXT_OVERFLOW";
  if (isGoodAnswer(outcome.fault, caller.question)) return undefined;
  return outcome.fault === "bad_semantics" ? "SEMANTIC_FAILURE" : "PARSE_FAILURE";
}

/** Failures that close the gate of a model may be told as what the gate says. */
function mayMeanTwoThings(attempts: readonly UpstreamAttempt[]): boolean {
  return attempts.some(isShared);
}

/** Whether another attempt was due by the plain rules: no override, and a wait that the policy allows. */
function mayPass({ kind, outcome, model, caller, request }: UpstreamAttempt, plan: Observation["plan"]): boolean {
  const { waitMs = 0, retry } = outcome;
  const passes = ["rate_limited", "overloaded", "unreachable", "stream_interrupted", "empty_answer"];
  if (kind) return passes.includes(kind) && retry === undefined && waitMs <= plan.retry.maxWaitMs;
  // The first bad answer is corrected where there is room for what is said of it.
  const isMalformed = outcome.fault === "malformed_json" || outcome.fault === "wrong_shape";
  const isFirst = request.attempt === 1 && plan.retry.maxCorrections > 0 && model.contextTokens >= 4000;
  return isMalformed && isFirst && caller.question.output === "json";
}
