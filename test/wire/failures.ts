import { create } from "@bufbuild/protobuf";
import { AttemptSchema } from "../../gen/sluice/v1/attempt_pb.ts";
import { ContentSide, ProviderProblem, RateLimitScope, Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { Failure, FailureReason } from "../../src/core/failure.ts";

/** One failure for each reason, every text of it `text`. */
export function failures(text: string): { readonly [R in FailureReason]: Failure } {
  const attempts = [create(AttemptSchema, { model: text, provider: text, latencyMs: 5n })];
  const named = { provider: text, model: text };
  const rate = { scope: RateLimitScope.PROVIDER, ...named, unit: text, limit: 10, requested: 20 };
  const load = { resource: text, limit: 4, retryAfterMs: 250 };
  return {
    INVALID_REQUEST: { reason: "INVALID_REQUEST", violations: [{ field: text, rule: text, description: text }] },
    UNKNOWN_PROMPT: { reason: "UNKNOWN_PROMPT", name: text, version: text, nearest: [text, text] },
    UNKNOWN_MODEL: { reason: "UNKNOWN_MODEL", name: text, nearest: [text] },
    UNKNOWN_CALL: { reason: "UNKNOWN_CALL", name: text, nearest: [] },
    UNKNOWN_COLLECTION: { reason: "UNKNOWN_COLLECTION", name: text, nearest: [text] },
    UNKNOWN_DOCUMENT: { reason: "UNKNOWN_DOCUMENT", name: text, nearest: [] },
    COLLECTION_MISMATCH: {
      reason: "COLLECTION_MISMATCH",
      collection: text,
      embeddingModel: text,
      dimension: 3,
      language: text,
      requested: { embeddingModel: text, dimension: 4, language: text },
    },
    UNAUTHENTICATED: { reason: "UNAUTHENTICATED", hint: text },
    PERMISSION_DENIED: { reason: "PERMISSION_DENIED", hint: text },
    BUDGET_EXCEEDED: {
      reason: "BUDGET_EXCEEDED",
      scope: "user",
      name: text,
      per: "day",
      limitNanoUsd: 5_000_000_000n,
      spentNanoUsd: 4_999_999_999n,
      reservedNanoUsd: 1n,
      requestedNanoUsd: 2n,
      resetAtMs: 86_400_000,
      retryAfterMs: 1_000,
      unpricedModel: text,
    },
    RATE_LIMITED: { reason: "RATE_LIMITED", ...rate, retryAfterMs: 1500 },
    REQUEST_EXCEEDS_RATE_WINDOW: { reason: "REQUEST_EXCEEDS_RATE_WINDOW", ...rate },
    QUOTA_EXHAUSTED: { reason: "QUOTA_EXHAUSTED", ...named, hint: text },
    CONTEXT_OVERFLOW: {
      reason: "CONTEXT_OVERFLOW",
      promptTokens: 9,
      reservedOutputTokens: 1,
      windowTokens: 8,
      largestPart: text,
      largestPartTokens: 7,
      reportedByProvider: true,
    },
    PARSE_FAILURE: {
      reason: "PARSE_FAILURE",
      violations: [{ path: text, rule: text, expected: text, got: text }],
      attempts,
      excerpt: text,
      truncated: true,
    },
    SEMANTIC_FAILURE: {
      reason: "SEMANTIC_FAILURE",
      violations: [{ rule: text, message: text }],
      attempts,
      excerpt: text,
    },
    SLOW_READER: { reason: "SLOW_READER", limitMs: 1000 },
    CONTENT_FILTERED: { reason: "CONTENT_FILTERED", side: ContentSide.OUTPUT, category: text, model: text },
    PROVIDER_MISCONFIGURED: {
      reason: "PROVIDER_MISCONFIGURED",
      problem: ProviderProblem.AUTHENTICATION,
      ...named,
      httpStatus: 401,
    },
    MODEL_UNAVAILABLE: { reason: "MODEL_UNAVAILABLE", attempts },
    MODEL_TIMEOUT: { reason: "MODEL_TIMEOUT", attempts },
    STREAM_INTERRUPTED: { reason: "STREAM_INTERRUPTED", attempts, retryAfterMs: 3 },
    OVERLOADED: { reason: "OVERLOADED", ...load },
    STORE_UNAVAILABLE: { reason: "STORE_UNAVAILABLE", ...load },
    CACHE_MISS: { reason: "CACHE_MISS", key: text },
    IDEMPOTENCY_CONFLICT: { reason: "IDEMPOTENCY_CONFLICT", key: text, firstCallId: text, firstStartedAtMs: 1 },
    DEADLINE_EXCEEDED: { reason: "DEADLINE_EXCEEDED", stage: Stage.CALL_MODEL, attempts },
    CANCELLED: { reason: "CANCELLED", stage: Stage.CACHE, attempts },
    INTERNAL: { reason: "INTERNAL" },
  };
}

export function isReason(text: string): text is FailureReason {
  return Object.hasOwn(failures(""), text);
}
