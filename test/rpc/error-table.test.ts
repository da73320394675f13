import assert from "node:assert/strict";
import { create, fromJson, type JsonObject, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { AttemptSchema } from "../../gen/sluice/v1/attempt_pb.ts";
import { ContentSide, ProviderProblem, RateLimitScope, Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import { ErrorReasonSchema } from "../../gen/sluice/v1/error_reason_pb.ts";
import type { Failure, FailureReason } from "../../src/core/failure.ts";
import { errorTable } from "../../src/rpc/error-table.ts";
import { excerpt, fitAttempts } from "../../src/rpc/errors/detail-room.ts";
import { MAX_STATUS_BYTES, statusJson, statusOf, toConnectError } from "../../src/rpc/status.ts";

const CALL_ID = "00000000-0000-7000-8000-000000000000";

/** One failure for each reason, every text of it `text`, every list of it `count` long. */
function failures(
  text: string,
  count: number,
): { readonly [R in FailureReason]: Extract<Failure, { reason: unknown }> } {
  const list = <T>(item: T) => Array.from({ length: count }, () => item);
  const attempts = list(create(AttemptSchema, { model: text, provider: text, latencyMs: 5n }));
  const violation = { path: text, rule: text, expected: text, got: text };
  const provider = { provider: text, model: text };
  const load = { resource: text, limit: 4, retryAfterMs: 250 };
  const overflow = {
    promptTokens: 9,
    reservedOutputTokens: 1,
    windowTokens: 8,
    largestPart: text,
    largestPartTokens: 7,
  };
  const rate = { scope: RateLimitScope.PROVIDER, ...provider, unit: text, limit: 10, requested: 20 };
  return {
    INVALID_REQUEST: { reason: "INVALID_REQUEST", violations: list({ field: text, rule: text, description: text }) },
    UNKNOWN_PROMPT: { reason: "UNKNOWN_PROMPT", name: text, version: text, nearest: list(text) },
    UNKNOWN_MODEL: { reason: "UNKNOWN_MODEL", name: text, nearest: list(text) },
    UNKNOWN_CALL: { reason: "UNKNOWN_CALL", name: text, nearest: [] },
    UNKNOWN_COLLECTION: { reason: "UNKNOWN_COLLECTION", name: text, nearest: list(text) },
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
    QUOTA_EXHAUSTED: { reason: "QUOTA_EXHAUSTED", ...provider, hint: text },
    CONTEXT_OVERFLOW: { reason: "CONTEXT_OVERFLOW", ...overflow, reportedByProvider: false },
    PARSE_FAILURE: { reason: "PARSE_FAILURE", violations: list(violation), attempts, excerpt: text, truncated: true },
    SEMANTIC_FAILURE: {
      reason: "SEMANTIC_FAILURE",
      violations: list({ rule: text, message: text }),
      attempts,
      excerpt: text,
    },
    SLOW_READER: { reason: "SLOW_READER", limitMs: 1000 },
    CONTENT_FILTERED: { reason: "CONTENT_FILTERED", side: ContentSide.INPUT, category: text, model: text },
    PROVIDER_MISCONFIGURED: {
      reason: "PROVIDER_MISCONFIGURED",
      problem: ProviderProblem.AUTHENTICATION,
      ...provider,
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

function detailTypes(failure: Failure): string[] {
  return statusOf(failure, CALL_ID).details.map(({ typeUrl }) => typeUrl.replace("type.googleapis.com/", ""));
}

function objectOf(json: JsonValue | undefined): JsonObject {
  assert(typeof json === "object" && json !== null && !Array.isArray(json));
  return json;
}

describe("the error table", () => {
  it("has exactly one row for each reason of the contract", () => {
    const documented = ErrorReasonSchema.values.map(({ name }) => name.replace("ERROR_REASON_", ""));
    assert.deepEqual(Object.keys(errorTable).sort(), documented.filter((name) => name !== "UNSPECIFIED").sort());
  });

  for (const failure of Object.values(failures("text", 2))) {
    it(`tells ${failure.reason} with ErrorInfo first, and RetryInfo exactly where the pushback is a wait`, () => {
      const [info, ...others] = detailTypes(failure);
      assert.equal(info, "google.rpc.ErrorInfo");
      const pushback = Number(toConnectError(failure, CALL_ID).metadata.get("grpc-retry-pushback-ms"));
      assert.equal(others.includes("google.rpc.RetryInfo"), pushback >= 0);
      assert(pushback >= -1);
      const json = objectOf(statusJson(failure, CALL_ID));
      const details = json.details;
      assert(Array.isArray(details));
      assert.deepEqual(objectOf(details[0]), {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: failure.reason,
        domain: "sluice.v1",
        metadata: { call_id: CALL_ID },
      });
    });
  }

  for (const [kind, text] of [
    ["three-byte characters", "語".repeat(100_000)],
    ["four-byte characters", "😀".repeat(100_000)],
    ["lone surrogates", "\ud800".repeat(100_000)],
    ["plain letters", "a".repeat(1_000_000)],
  ] as const) {
    for (const failure of Object.values(failures(text, 500))) {
      it(`keeps a monstrous ${failure.reason} of ${kind} under ${MAX_STATUS_BYTES} bytes with every detail`, () => {
        const status = statusOf(failure, CALL_ID);
        assert(toBinary(StatusSchema, status).length <= MAX_STATUS_BYTES);
        assert.deepEqual(
          status.details.map(({ typeUrl }) => typeUrl),
          statusOf(failures("a", 1)[failure.reason], CALL_ID).details.map(({ typeUrl }) => typeUrl),
        );
        assert(JSON.stringify(statusJson(failure, CALL_ID)).isWellFormed());
      });
    }
  }

  it("tells rules in upper snake case, and rules of protobuf in plain words", () => {
    const violations = [
      { field: "a", rule: "json_schema.additionalProperties", description: "must not be there" },
      { field: "b", rule: "enum.not_in", description: "must not be in list [0]" },
      { field: "c", rule: "enum.defined_only", description: "value must be one of the defined enum values" },
      { field: "d", rule: "required", description: "exactly one field is required in oneof" },
    ];
    const details = objectOf(statusJson({ reason: "INVALID_REQUEST", violations }, CALL_ID)).details;
    assert(Array.isArray(details));
    assert.deepEqual(objectOf(details[1]).fieldViolations, [
      { field: "a", description: "must not be there", reason: "JSON_SCHEMA_ADDITIONAL_PROPERTIES" },
      { field: "b", description: "must be set", reason: "ENUM_NOT_IN" },
      { field: "c", description: "is a number that the enum does not have", reason: "ENUM_DEFINED_ONLY" },
      { field: "d", description: "exactly one of its fields must be set", reason: "REQUIRED" },
    ]);
  });

  it("never fails on numbers that are none", () => {
    const { reason, ...overflow } = failures("a", 1).CONTEXT_OVERFLOW as Extract<
      Failure,
      { reason: "CONTEXT_OVERFLOW" }
    >;
    const status = objectOf(
      statusJson({ reason, ...overflow, promptTokens: Number.NaN, windowTokens: Number.POSITIVE_INFINITY }, CALL_ID),
    );
    assert.equal(status.code, 11);
  });

  it("tells the provider's wait in full", () => {
    const json = JSON.stringify(statusJson(failures("a", 1).RATE_LIMITED, CALL_ID));
    assert.match(json, /"retryDelay":"1\.500s"/);
    assert.equal(toConnectError(failures("a", 1).RATE_LIMITED, CALL_ID).metadata.get("grpc-retry-pushback-ms"), "1500");
  });

  it("says nothing of a bug but the call id", () => {
    assert.deepEqual(statusJson({ reason: "INTERNAL" }, CALL_ID), {
      code: 13,
      message: "a bug of the service; report it with the call id",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "INTERNAL",
          domain: "sluice.v1",
          metadata: { call_id: CALL_ID },
        },
      ],
    });
  });

  it("writes a status that reads back as google.rpc.Status", () => {
    const { code, message } = objectOf(statusJson(failures("a", 1).CACHE_MISS, CALL_ID));
    assert.equal(fromJson(StatusSchema, { code: code ?? 0, message: message ?? "" }).code, 9);
  });
});

describe("an excerpt", () => {
  const room = { items: 1, textBytes: 16 };

  it("leaves a text alone that fits to the byte", () => {
    assert.equal(excerpt("a".repeat(16), room), "a".repeat(16));
    assert.equal(excerpt("é".repeat(8), room), "é".repeat(8));
  });

  it("cuts one byte past it between characters", () => {
    assert.equal(excerpt("a".repeat(17), room), `${"a".repeat(13)}…`);
    assert.equal(excerpt("é".repeat(9), room), `${"é".repeat(6)}…`);
    assert.equal(excerpt("😀".repeat(5), room), "😀😀😀…");
  });
});

describe("attempts in a detail", () => {
  it("are at most 8, the last one among them", () => {
    const attempts = Array.from({ length: 20 }, (_, index) => create(AttemptSchema, { number: index + 1 }));
    const numbers = fitAttempts(attempts, { items: 16, textBytes: 10 }).map(({ number }) => number);
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 20]);
  });
});
