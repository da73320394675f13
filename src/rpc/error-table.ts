import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import {
  CacheMissDetailSchema,
  ContentFilteredDetailSchema,
  ContextOverflowDetailSchema,
  IdempotencyConflictDetailSchema,
  InterruptedDetailSchema,
  LoadDetailSchema,
  ModelFailureDetailSchema,
  ParseFailureDetailSchema,
  ProviderMisconfiguredDetailSchema,
  RateLimitDetailSchema,
  RateLimitScope,
  SemanticFailureDetailSchema,
  SlowReaderDetailSchema,
  UnknownNameDetailSchema,
} from "../../gen/sluice/v1/error_detail_pb.ts";
import { budgetExceeded, budgetMessage } from "./errors/budget-exceeded.ts";
import { wireScopes } from "./errors/budget-names.ts";
import { collectionMismatch } from "./errors/collection-mismatch.ts";
import { badRequest, detail, quotaFailure } from "./errors/detail.ts";
import { type DetailRoom, excerpt, firstOf, fitAttempts, int32, int64 } from "./errors/detail-room.ts";
import type { ErrorTable, FailureWith } from "./errors/row.ts";

/** The wait that is told where waiting helps and nobody said how long. */
const DEFAULT_WAIT_MS = 1000;

/** Exactly one row for every way to fail; `error_reason.proto` documents each with the JSON that comes of it. */
export const errorTable: ErrorTable = {
  INVALID_REQUEST: {
    code: Code.InvalidArgument,
    message: "the request breaks a limit or a shape; fix the fields that the details name",
    details: ({ violations }, room) => [badRequest(violations, room)],
  },
  UNKNOWN_PROMPT: {
    code: Code.NotFound,
    message: "no such prompt or version; PromptService.ListPrompts lists them, the details name the nearest",
    details: unknownName,
  },
  UNKNOWN_MODEL: {
    code: Code.NotFound,
    message: "no such model alias; ModelService.ListModels lists them, the details name the nearest",
    details: unknownName,
  },
  UNKNOWN_CALL: {
    code: Code.NotFound,
    message: "no such call of this tenant in the ledger; its records may still be on their way to the database",
    details: unknownName,
  },
  UNKNOWN_COLLECTION: {
    code: Code.NotFound,
    message:
      "no such collection of this tenant; CorpusService.ListCollections lists them, the details name the nearest",
    details: unknownName,
  },
  UNKNOWN_DOCUMENT: {
    code: Code.NotFound,
    message: "no such document in the collection; CorpusService.ListDocuments lists them",
    details: unknownName,
  },
  COLLECTION_MISMATCH: {
    code: Code.FailedPrecondition,
    message: "the collection's embeddings are of another model, dimension or language than asked for; see the details",
    details: collectionMismatch,
  },
  UNAUTHENTICATED: {
    code: Code.Unauthenticated,
    message: ({ hint }) => hinted("no valid API key", hint),
  },
  PERMISSION_DENIED: {
    code: Code.PermissionDenied,
    message: ({ hint }) => hinted("not allowed", hint),
  },
  RATE_LIMITED: {
    code: Code.ResourceExhausted,
    message: ({ scope }) =>
      `${scope === RateLimitScope.CALLER ? "this caller's" : "the provider's"} rate limit is exhausted; retry after the wait in the details`,
    details: rateLimit,
    waitMs: ({ retryAfterMs }) => retryAfterMs ?? DEFAULT_WAIT_MS,
  },
  REQUEST_EXCEEDS_RATE_WINDOW: {
    code: Code.ResourceExhausted,
    message: ({ scope }) =>
      scope === RateLimitScope.CALLER
        ? "this one request is larger than what the caller may use in a minute; shorten it, or allow less output"
        : "this one request is larger than the provider's whole rate window; shorten it",
    details: rateLimit,
  },
  BUDGET_EXCEEDED: {
    code: Code.ResourceExhausted,
    message: budgetMessage,
    details: budgetExceeded,
    waitMs: ({ retryAfterMs }) => retryAfterMs,
  },
  QUOTA_EXHAUSTED: {
    code: Code.ResourceExhausted,
    message: "the provider's quota is used up; an operator must raise it",
    details: ({ provider, model, hint }, room) => [quotaFailure(`${provider}/${model}`, hint, room)],
  },
  CONTEXT_OVERFLOW: {
    code: Code.OutOfRange,
    message:
      "the prompt does not fit the model's window; shorten the largest part, or name a model with a larger window",
    details: ({ reason: _, ...overflow }, room) => [
      detail(ContextOverflowDetailSchema, {
        promptTokens: int64(overflow.promptTokens),
        reservedOutputTokens: int64(overflow.reservedOutputTokens),
        windowTokens: int64(overflow.windowTokens),
        largestPart: excerpt(overflow.largestPart, room),
        largestPartTokens: int64(overflow.largestPartTokens),
        reportedByProvider: overflow.reportedByProvider,
      }),
    ],
  },
  PARSE_FAILURE: {
    code: Code.DataLoss,
    message: "the model gave no answer that satisfies the schema; the details say what is wrong, a retry costs money",
    details: parseFailure,
  },
  SEMANTIC_FAILURE: {
    code: Code.FailedPrecondition,
    message: "the model's answers break the checks in the details; give the last one to a person",
    details: semanticFailure,
  },
  SLOW_READER: {
    code: Code.ResourceExhausted,
    message: "the stream was not read for too long; read faster, or call Complete",
    details: ({ limitMs }) => [detail(SlowReaderDetailSchema, { limitMs: int64(limitMs) })],
  },
  CONTENT_FILTERED: {
    code: Code.FailedPrecondition,
    message: "the provider's filter or the model refused; change the content, a retry is pointless",
    details: ({ side, category, model }, room) => [
      detail(ContentFilteredDetailSchema, { side, category: excerpt(category, room), model: excerpt(model, room) }),
    ],
  },
  PROVIDER_MISCONFIGURED: {
    code: Code.FailedPrecondition,
    message: "the provider refuses the service's configuration; an operator must act, the caller's key is fine",
    details: ({ problem, provider, model, httpStatus, providerCode }, room) => [
      detail(ProviderMisconfiguredDetailSchema, {
        problem,
        provider: excerpt(provider, room),
        model: excerpt(model, room),
        httpStatus: int32(httpStatus),
        providerCode: excerpt(providerCode ?? "", room),
      }),
    ],
  },
  MODEL_UNAVAILABLE: {
    code: Code.Unavailable,
    message: "no model could answer; back off and retry",
    details: modelFailure,
    waitMs: ({ retryAfterMs }) => retryAfterMs ?? DEFAULT_WAIT_MS,
  },
  MODEL_TIMEOUT: {
    code: Code.Unavailable,
    message: "the model was silent for too long; back off and retry",
    details: modelFailure,
    waitMs: ({ retryAfterMs }) => retryAfterMs ?? DEFAULT_WAIT_MS,
  },
  STREAM_INTERRUPTED: {
    code: Code.Unavailable,
    message: "the model's answer broke off; what was received of it is void, back off and retry",
    details: modelFailure,
    waitMs: ({ retryAfterMs }) => retryAfterMs ?? DEFAULT_WAIT_MS,
  },
  OVERLOADED: {
    code: Code.Unavailable,
    message: "the service has more to do than it is allowed; retry after the wait in the details",
    details: load,
    waitMs: ({ retryAfterMs }) => retryAfterMs,
  },
  STORE_UNAVAILABLE: {
    code: Code.Unavailable,
    message: "a store that the call needs is away or full; retry after the wait in the details",
    details: load,
    waitMs: ({ retryAfterMs }) => retryAfterMs,
  },
  CACHE_MISS: {
    code: Code.FailedPrecondition,
    message: "nothing is cached for this request, and the cache mode forbids calling a model; use CACHE_MODE_DEFAULT",
    details: ({ key }, room) => [detail(CacheMissDetailSchema, { key: excerpt(key, room) })],
  },
  IDEMPOTENCY_CONFLICT: {
    code: Code.AlreadyExists,
    message: "the idempotency key belongs to another request; use a key of its own for each piece of work",
    details: ({ key, firstCallId, firstStartedAtMs }, room) => [
      detail(IdempotencyConflictDetailSchema, {
        idempotencyKey: excerpt(key, room),
        firstCallId: excerpt(firstCallId, room),
        firstStartedAt: timestampFromMs(firstStartedAtMs),
      }),
    ],
  },
  DEADLINE_EXCEEDED: {
    code: Code.DeadlineExceeded,
    message: "the deadline is over; the details say the stage that was reached, allow more time",
    details: interrupted,
  },
  CANCELLED: {
    code: Code.Canceled,
    message: "the caller left; the details say the stage that was reached",
    details: interrupted,
  },
  INTERNAL: {
    code: Code.Internal,
    message: "a bug of the service; report it with the call id",
  },
};

function hinted(what: string, hint: string): string {
  return hint ? `${what}: ${excerpt(hint, { items: 1, textBytes: 256 })}` : what;
}

function unknownName(failure: FailureWith<"UNKNOWN_MODEL">, room: DetailRoom) {
  return [
    detail(UnknownNameDetailSchema, {
      name: excerpt(failure.name, room),
      version: excerpt(failure.version ?? "", room),
      nearest: firstOf(failure.nearest, room, (name) => excerpt(name, room), 5),
    }),
  ];
}

function rateLimit(failure: FailureWith<"RATE_LIMITED">, room: DetailRoom) {
  return [
    detail(RateLimitDetailSchema, {
      scope: failure.scope,
      provider: excerpt(failure.provider, room),
      model: excerpt(failure.model, room),
      unit: excerpt(failure.unit ?? "", room),
      limit: failure.limit === undefined ? undefined : int64(failure.limit),
      requested: failure.requested === undefined ? undefined : int64(failure.requested),
      callerScope: failure.caller && wireScopes[failure.caller.scope],
      callerName: excerpt(failure.caller?.name ?? "", room),
    }),
  ];
}

function parseFailure(failure: FailureWith<"PARSE_FAILURE">, room: DetailRoom) {
  const violations = firstOf(
    failure.violations,
    room,
    ({ path, rule, expected, got }) => ({
      path: excerpt(path, room),
      rule: excerpt(rule, room),
      expected: excerpt(expected, room),
      got: excerpt(got, room),
    }),
    8,
  );
  return [
    detail(ParseFailureDetailSchema, {
      violations,
      attempts: fitAttempts(failure.attempts, room),
      excerpt: excerpt(failure.excerpt, room),
      truncated: failure.truncated,
    }),
  ];
}

function semanticFailure(failure: FailureWith<"SEMANTIC_FAILURE">, room: DetailRoom) {
  const quoted = ({ rule, message }: { rule: string; message: string }) => ({
    rule: excerpt(rule, room),
    message: excerpt(message, room),
  });
  return [
    detail(SemanticFailureDetailSchema, {
      violations: firstOf(failure.violations, room, quoted, 8),
      attempts: fitAttempts(failure.attempts, room),
      excerpt: excerpt(failure.excerpt, room),
    }),
  ];
}

function modelFailure(failure: FailureWith<"MODEL_UNAVAILABLE">, room: DetailRoom) {
  const skipped = firstOf(
    failure.skipped ?? [],
    room,
    ({ model, cause, retryAfterMs }) => ({ model: excerpt(model, room), cause, retryAfterMs: int64(retryAfterMs) }),
    8,
  );
  return [detail(ModelFailureDetailSchema, { attempts: fitAttempts(failure.attempts, room), skipped })];
}

function load(failure: FailureWith<"OVERLOADED">, room: DetailRoom) {
  return [detail(LoadDetailSchema, { resource: excerpt(failure.resource, room), limit: int64(failure.limit) })];
}

function interrupted(failure: FailureWith<"CANCELLED">, room: DetailRoom) {
  return [detail(InterruptedDetailSchema, { stage: failure.stage, attempts: fitAttempts(failure.attempts, room) })];
}
