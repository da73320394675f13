import type { Attempt } from "../../../gen/sluice/v1/attempt_pb.ts";
import { ContentSide, ProviderProblem, RateLimitScope } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { Failure, FailureReason, Skipped } from "../../core/failure.ts";
import type { ModelTarget, UpstreamErrorFields, UpstreamErrorKind } from "../../core/model.ts";
import type { FittedPrompt } from "../build-context/fit.ts";
import { overflowFailure } from "../build-context/overflow.ts";

/** The reason that a failed attempt is recorded with, and that the call ends with when nothing else helps. */
export const reasonOf = {
  rate_limited: "RATE_LIMITED",
  exceeds_rate_window: "REQUEST_EXCEEDS_RATE_WINDOW",
  quota_exhausted: "QUOTA_EXHAUSTED",
  overloaded: "MODEL_UNAVAILABLE",
  unreachable: "MODEL_UNAVAILABLE",
  empty_answer: "MODEL_UNAVAILABLE",
  unknown: "MODEL_UNAVAILABLE",
  stream_interrupted: "STREAM_INTERRUPTED",
  first_byte_timeout: "MODEL_TIMEOUT",
  idle_timeout: "MODEL_TIMEOUT",
  attempt_timeout: "MODEL_TIMEOUT",
  context_overflow: "CONTEXT_OVERFLOW",
  payload_too_large: "CONTEXT_OVERFLOW",
  prompt_truncated: "CONTEXT_OVERFLOW",
  output_limit_invalid: "PROVIDER_MISCONFIGURED",
  json_mode_refused: "PROVIDER_MISCONFIGURED",
  request_refused: "PROVIDER_MISCONFIGURED",
  auth_invalid: "PROVIDER_MISCONFIGURED",
  permission_denied: "PROVIDER_MISCONFIGURED",
  model_not_found: "PROVIDER_MISCONFIGURED",
  content_filtered_input: "CONTENT_FILTERED",
  content_filtered_output: "CONTENT_FILTERED",
  bad_vectors: "PARSE_FAILURE",
  wrong_dimension: "PROVIDER_MISCONFIGURED",
} as const satisfies Record<UpstreamErrorKind, FailureReason>;

/** What was asked of whom. */
export interface FailedLeg {
  readonly target: Pick<ModelTarget, "alias" | "provider">;
  /** What a request fails with that the provider finds too long. */
  overflow(): Failure;
}

/** The failure of the call whose last attempt failed so. */
export function failureAfter(error: UpstreamErrorFields, leg: FailedLeg, attempts: readonly Attempt[]): Failure {
  const { target } = leg;
  const reason = reasonOf[error.kind];
  const where = { provider: target.provider.id, model: target.alias };
  switch (reason) {
    case "RATE_LIMITED":
    case "REQUEST_EXCEEDS_RATE_WINDOW":
      return {
        reason,
        ...where,
        scope: RateLimitScope.PROVIDER,
        unit: error.unit,
        limit: error.limit,
        requested: error.requested,
        retryAfterMs: reason === "RATE_LIMITED" ? error.waitMs : undefined,
      };
    case "QUOTA_EXHAUSTED":
      return { reason, ...where, hint: "the provider's account has no quota left" };
    case "CONTEXT_OVERFLOW":
      return leg.overflow();
    case "PROVIDER_MISCONFIGURED":
      return {
        reason,
        ...where,
        problem: problemOf(error.kind),
        httpStatus: error.httpStatus,
        providerCode: error.code,
      };
    case "CONTENT_FILTERED": {
      const side = error.kind === "content_filtered_input" ? ContentSide.INPUT : ContentSide.OUTPUT;
      return { reason, side, category: error.category ?? "", model: target.alias };
    }
    case "PARSE_FAILURE":
      return { reason, violations: error.violations ?? [], attempts, excerpt: "", truncated: false };
    case "MODEL_UNAVAILABLE":
    case "MODEL_TIMEOUT":
    case "STREAM_INTERRUPTED":
      return { reason, attempts, retryAfterMs: error.waitMs };
  }
}

function problemOf(kind: UpstreamErrorKind): ProviderProblem {
  if (kind === "auth_invalid") return ProviderProblem.AUTHENTICATION;
  if (kind === "permission_denied") return ProviderProblem.PERMISSION;
  if (kind === "wrong_dimension") return ProviderProblem.DIMENSION;
  if (kind === "model_not_found") return ProviderProblem.MODEL_NOT_FOUND;
  return ProviderProblem.REQUEST_REFUSED;
}

/** The provider found too long what had already been shortened as far as may be, or may not be shortened. */
export function promptOverflow(target: ModelTarget, fitted: FittedPrompt): Failure {
  const { systemTokens, schemaTokens, instructionTokens, reservedOutputTokens } = fitted.budget;
  const parts = {
    system: systemTokens,
    schema: schemaTokens,
    instruction: instructionTokens,
    context: fitted.budget.contextTokens,
    conversation: fitted.budget.conversationTokens - instructionTokens,
  };
  return overflowFailure(parts, { reservedOutputTokens, windowTokens: target.contextTokens }, true);
}

/** The failure with the models that were not asked, where it is about who could answer. */
export function withSkipped(failure: Failure, skipped: readonly Skipped[]): Failure {
  switch (failure.reason) {
    case "MODEL_UNAVAILABLE":
    case "MODEL_TIMEOUT":
    case "STREAM_INTERRUPTED":
      return { ...failure, skipped };
    default:
      return failure;
  }
}

const retryable: ReadonlySet<FailureReason> = new Set([
  "RATE_LIMITED",
  "MODEL_UNAVAILABLE",
  "MODEL_TIMEOUT",
  "STREAM_INTERRUPTED",
]);

/**
 * What the caller is told when neither the model that was asked for nor its fallbacks could answer: the first one's
 * failure, with its wait, unless only the last one's gives hope.
 */
export function mostTelling(first: Failure, last: Failure): Failure {
  if (!retryable.has(first.reason)) return retryable.has(last.reason) ? last : first;
  if ("attempts" in first && "attempts" in last) return { ...first, attempts: last.attempts };
  return first;
}
