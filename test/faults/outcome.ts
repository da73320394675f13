import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import type { CallFailure, CallResult } from "./grpc-calls.ts";

/** The scenarios' word for each reason whose name differs, or which the scenarios know under another's. */
const words: Readonly<Record<string, string>> = {
  QUOTA_EXHAUSTED: "QUOTA_EXCEEDED",
  MODEL_UNAVAILABLE: "UPSTREAM_UNAVAILABLE",
  STREAM_INTERRUPTED: "UPSTREAM_UNAVAILABLE",
  MODEL_TIMEOUT: "UPSTREAM_TIMEOUT",
  DEADLINE_EXCEEDED: "UPSTREAM_TIMEOUT",
  PROVIDER_MISCONFIGURED: "UPSTREAM_AUTH",
  INVALID_REQUEST: "INVALID_ARGUMENT",
  REQUEST_EXCEEDS_RATE_WINDOW: "RATE_LIMITED",
};

/** What the scenarios may call the result of a call: the first is their own word, the second the plain status. */
export function outcomesOf({ completion, failure }: CallResult): readonly string[] {
  if (completion) return ["OK"];
  if (!failure) return ["nothing: the call ended quietly"];
  const { code, reason } = failure;
  // Ended by the caller's own library, which has no reasons: cancelled there, or its timer was first.
  if (reason === "") return code === status.CANCELLED ? ["CANCELLED"] : codeOnly(failure);
  return isUnknownModel(failure) ? ["UPSTREAM_UNAVAILABLE"] : [words[reason] ?? reason, reason];
}

/**
 * The scenarios have no word for a model that the provider does not have: it is theirs for a model that is not there,
 * and no problem of authentication. The detail tells the two apart.
 */
function isUnknownModel({ details }: CallFailure): boolean {
  const detail = details["sluice.v1.ProviderMisconfiguredDetail"];
  const problem = typeof detail === "object" && detail !== null && "problem" in detail && detail.problem;
  return problem === "PROVIDER_PROBLEM_MODEL_NOT_FOUND";
}

function codeOnly({ code, detailText }: CallFailure): readonly string[] {
  if (code === status.DEADLINE_EXCEEDED) return ["UPSTREAM_TIMEOUT", "DEADLINE_EXCEEDED"];
  return [`${status[code]} without a reason: ${detailText}`];
}

/** The gRPC status that goes with each reason; a caller who has only the code must not be misled. */
const codes: Readonly<Record<string, status>> = {
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  REQUEST_EXCEEDS_RATE_WINDOW: status.RESOURCE_EXHAUSTED,
  QUOTA_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  CONTEXT_OVERFLOW: status.OUT_OF_RANGE,
  PARSE_FAILURE: status.DATA_LOSS,
  SEMANTIC_FAILURE: status.FAILED_PRECONDITION,
  CONTENT_FILTERED: status.FAILED_PRECONDITION,
  PROVIDER_MISCONFIGURED: status.FAILED_PRECONDITION,
  MODEL_UNAVAILABLE: status.UNAVAILABLE,
  MODEL_TIMEOUT: status.UNAVAILABLE,
  STREAM_INTERRUPTED: status.UNAVAILABLE,
  OVERLOADED: status.UNAVAILABLE,
  INVALID_REQUEST: status.INVALID_ARGUMENT,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CANCELLED: status.CANCELLED,
};

/** What holds of every failure, whatever the scenario: its code goes with its reason, waits come where waiting helps. */
export function checkFailure(failure: CallFailure): void {
  const { reason, code, retryAfterMs, details } = failure;
  if (reason === "") return;
  assert.equal(status[code], status[codes[reason] ?? -1], `the code of ${reason}`);
  if (reason === "RATE_LIMITED") assert.ok(retryAfterMs !== undefined, "RATE_LIMITED says how long to wait");
  if (reason !== "QUOTA_EXHAUSTED") return;
  assert.equal(retryAfterMs, undefined, "waiting does not help against a quota");
  assert.ok(details["google.rpc.QuotaFailure"], "QUOTA_EXHAUSTED comes with a QuotaFailure");
}
