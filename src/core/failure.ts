import type { Attempt } from "../../gen/sluice/v1/attempt_pb.ts";
import type {
  ContentSide,
  ParseViolation,
  ProviderProblem,
  RateLimitScope,
  SkippedModel,
  Stage,
} from "../../gen/sluice/v1/error_detail_pb.ts";
import { ErrorReason } from "../../gen/sluice/v1/error_reason_pb.ts";
import type { BudgetPeriod, BudgetScope } from "./budgets.ts";

/** One broken rule: the path of the field as clients write it (`input.messages[0].content`), the rule's id, and what it asks. */
export interface FieldViolation {
  readonly field: string;
  readonly rule: string;
  readonly description: string;
}

/** A model that was not asked, and when it may be. */
export type Skipped = Pick<SkippedModel, "model" | "cause"> & { readonly retryAfterMs: number };

/**
 * Every way in which a call can fail on purpose. The union is closed: `rpc/error-table.ts` has exactly one row for each
 * reason and does not compile without it. What is not a `SluiceError` is a bug, and reaches the caller as INTERNAL.
 */
export type Failure =
  | { readonly reason: "INVALID_REQUEST"; readonly violations: readonly FieldViolation[] }
  | {
      readonly reason: "UNKNOWN_PROMPT" | "UNKNOWN_MODEL" | "UNKNOWN_CALL" | "UNKNOWN_COLLECTION" | "UNKNOWN_DOCUMENT";
      readonly name: string;
      readonly version?: string;
      readonly nearest: readonly string[];
    }
  | { readonly reason: "UNAUTHENTICATED"; readonly hint: string }
  | { readonly reason: "PERMISSION_DENIED"; readonly hint: string }
  | {
      readonly reason: "RATE_LIMITED" | "REQUEST_EXCEEDS_RATE_WINDOW";
      readonly scope: RateLimitScope;
      readonly provider: string;
      readonly model: string;
      readonly unit?: string;
      readonly limit?: number;
      readonly requested?: number;
      /** The wait the provider asked for, or until there is room. Never set for REQUEST_EXCEEDS_RATE_WINDOW. */
      readonly retryAfterMs?: number;
      /** Whose limit it is, where it is not the provider's. */
      readonly caller?: { readonly scope: BudgetScope; readonly name: string };
    }
  | {
      readonly reason: "BUDGET_EXCEEDED";
      readonly scope: BudgetScope;
      readonly name: string;
      readonly per: BudgetPeriod;
      readonly limitNanoUsd: bigint;
      readonly spentNanoUsd: bigint;
      readonly reservedNanoUsd: bigint;
      /** Absent where the price is unknown. */
      readonly requestedNanoUsd?: bigint;
      readonly resetAtMs: number;
      /** Absent where waiting cannot help. */
      readonly retryAfterMs?: number;
      /** The model whose price is unknown. */
      readonly unpricedModel?: string;
    }
  | { readonly reason: "QUOTA_EXHAUSTED"; readonly provider: string; readonly model: string; readonly hint: string }
  | {
      readonly reason: "CONTEXT_OVERFLOW";
      readonly promptTokens: number;
      readonly reservedOutputTokens: number;
      readonly windowTokens: number;
      readonly largestPart: string;
      readonly largestPartTokens: number;
      readonly reportedByProvider: boolean;
    }
  | {
      readonly reason: "PARSE_FAILURE";
      readonly violations: readonly Omit<ParseViolation, "$typeName" | "$unknown">[];
      readonly attempts: readonly Attempt[];
      readonly excerpt: string;
      readonly truncated: boolean;
    }
  | {
      readonly reason: "SEMANTIC_FAILURE";
      /** The checks that the last answer breaks, and what each says. */
      readonly violations: readonly { readonly rule: string; readonly message: string }[];
      readonly attempts: readonly Attempt[];
      readonly excerpt: string;
    }
  | { readonly reason: "SLOW_READER"; readonly limitMs: number }
  | {
      readonly reason: "CONTENT_FILTERED";
      readonly side: ContentSide;
      readonly category: string;
      readonly model: string;
    }
  | {
      readonly reason: "PROVIDER_MISCONFIGURED";
      readonly problem: ProviderProblem;
      readonly provider: string;
      readonly model: string;
      readonly httpStatus: number;
      /** The provider's own word for it. */
      readonly providerCode?: string;
    }
  | {
      readonly reason: "MODEL_UNAVAILABLE" | "MODEL_TIMEOUT" | "STREAM_INTERRUPTED";
      readonly attempts: readonly Attempt[];
      /** Models that were not asked although it was their turn. */
      readonly skipped?: readonly Skipped[];
      readonly retryAfterMs?: number;
    }
  | {
      readonly reason: "OVERLOADED" | "STORE_UNAVAILABLE";
      readonly resource: string;
      readonly limit: number;
      readonly retryAfterMs: number;
    }
  | { readonly reason: "CACHE_MISS"; readonly key: string }
  | {
      readonly reason: "COLLECTION_MISMATCH";
      readonly collection: string;
      readonly embeddingModel: string;
      readonly dimension: number;
      readonly language: string;
      /** What was asked for, or is configured now; absent where it is the collection's own. */
      readonly requested: { readonly embeddingModel?: string; readonly dimension?: number; readonly language?: string };
    }
  | {
      readonly reason: "IDEMPOTENCY_CONFLICT";
      readonly key: string;
      /** The call that has the key, and when it began. */
      readonly firstCallId: string;
      readonly firstStartedAtMs: number;
    }
  | {
      readonly reason: "DEADLINE_EXCEEDED" | "CANCELLED";
      readonly stage: Stage;
      readonly attempts: readonly Attempt[];
    }
  | { readonly reason: "INTERNAL" };

export type FailureReason = Failure["reason"];

/** A failure on its way to the caller. Throwing it neither logs nor counts: that happens once, at the end of the call. */
export class SluiceError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(failure.reason, options);
    this.name = "SluiceError";
    this.failure = failure;
  }
}

/** Shorthand for the one failure that every layer may raise. */
export function invalidRequest(field: string, rule: string, description: string): SluiceError {
  return new SluiceError({ reason: "INVALID_REQUEST", violations: [{ field, rule, description }] });
}

/** The failure behind any thrown value; what was not thrown on purpose is INTERNAL. */
export function failureOf(thrown: unknown): Failure {
  return thrown instanceof SluiceError ? thrown.failure : { reason: "INTERNAL" };
}

/** The contract's number of a reason. Does not compile while a reason is missing there. */
export function reasonNumber(reason: FailureReason): ErrorReason {
  return ErrorReason[reason];
}
