import type { Attempt } from "../../../gen/sluice/v1/attempt_pb.ts";
import { ContentSide, ProviderProblem, RateLimitScope } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { Failure, FailureReason } from "../../core/failure.ts";
import type { ModelTarget, UpstreamErrorFields, UpstreamErrorKind } from "../../core/model.ts";
import type { FittedPrompt } from "../build-context/fit.ts";

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
  output_limit_invalid: "PROVIDER_MISCONFIGURED",
  json_mode_refused: "PROVIDER_MISCONFIGURED",
  request_refused: "PROVIDER_MISCONFIGURED",
  auth_invalid: "PROVIDER_MISCONFIGURED",
  permission_denied: "PROVIDER_MISCONFIGURED",
  model_not_found: "PROVIDER_MISCONFIGURED",
  content_filtered_input: "CONTENT_FILTERED",
  content_filtered_output: "CONTENT_FILTERED",
} as const satisfies Record<UpstreamErrorKind, FailureReason>;

/** The failure of the call whose last attempt failed so. */
export function failureAfter(
  error: UpstreamErrorFields,
  target: ModelTarget,
  fitted: FittedPrompt,
  attempts: readonly Attempt[],
): Failure {
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
      return overflow(target, fitted);
    case "PROVIDER_MISCONFIGURED":
      return { reason, ...where, problem: problemOf(error.kind), httpStatus: error.httpStatus };
    case "CONTENT_FILTERED": {
      const side = error.kind === "content_filtered_input" ? ContentSide.INPUT : ContentSide.OUTPUT;
      return { reason, side, category: error.category ?? "", model: target.alias };
    }
    case "MODEL_UNAVAILABLE":
    case "MODEL_TIMEOUT":
    case "STREAM_INTERRUPTED":
      return { reason, attempts, retryAfterMs: error.waitMs };
  }
}

function problemOf(kind: UpstreamErrorKind): ProviderProblem {
  if (kind === "auth_invalid") return ProviderProblem.AUTHENTICATION;
  if (kind === "permission_denied") return ProviderProblem.PERMISSION;
  if (kind === "model_not_found") return ProviderProblem.MODEL_NOT_FOUND;
  return ProviderProblem.REQUEST_REFUSED;
}

function overflow(target: ModelTarget, fitted: FittedPrompt): Failure {
  const { budget } = fitted;
  const parts: [string, number][] = [
    ["system", budget.systemTokens],
    ["schema", budget.schemaTokens],
    ["context", budget.contextTokens],
    ["conversation", budget.conversationTokens],
  ];
  const [largestPart, largestPartTokens] = parts.reduce((a, b) => (b[1] > a[1] ? b : a));
  return {
    reason: "CONTEXT_OVERFLOW",
    promptTokens: budget.promptTokens,
    reservedOutputTokens: budget.reservedOutputTokens,
    windowTokens: target.contextTokens,
    largestPart,
    largestPartTokens,
    reportedByProvider: true,
  };
}
