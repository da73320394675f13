import type { UpstreamErrorKind } from "../../../core/model.ts";

/**
 * The words (`code`, `type`, `status`, exception name; lower case) that decide by themselves what an error is. Words
 * that say no more than the HTTP status (`invalid_request_error`, `api_error`, `BadRequestError`, `INVALID_ARGUMENT`)
 * are left out on purpose: there the status and the message decide. Kinds `rate_limited`, `context_overflow` and
 * `output_limit_invalid` are looked at more closely afterwards.
 */
const CODES: Partial<Record<UpstreamErrorKind, readonly string[]>> = {
  rate_limited: [
    "rate_limit_exceeded",
    "rate_limit_error",
    "rate_limited",
    "ratelimiterror",
    "ratelimitreached",
    "too_many_requests",
    "slow_down",
    "resource_exhausted",
    "throttlingexception",
    "throttled",
    // Mistral's number for it.
    "1300",
  ],
  quota_exhausted: [
    "insufficient_quota",
    "credit_balance_exhausted",
    "quota_exceeded",
    "billing_error",
    "billing_not_active",
    "billing_hard_limit_reached",
    "insufficient_balance",
    "insufficient_funds",
    "payment_required",
    "spend_limit_reached",
    "enforced_spend_limit_reached",
    "usage_limit_reached",
    "exceeded_current_quota_error",
    "servicequotaexceededexception",
  ],
  overloaded: [
    "overloaded_error",
    "server_is_overloaded",
    "service_unavailable",
    "service_unavailable_error",
    "engine_overloaded",
    "engine_overloaded_error",
    "provider_overloaded",
    "capacity_exceeded",
    "service_tier_capacity_exceeded",
    "3505",
    "server_error",
    "internal_server_error",
    "internalservererror",
    "unavailable",
    "internal",
    "deadline_exceeded",
    "timeout_error",
    "conflict_error",
    "modelnotreadyexception",
    "modelerrorexception",
    "modelstreamerrorexception",
    "modeltimeoutexception",
    "internalserverexception",
    "serviceunavailableexception",
  ],
  context_overflow: [
    "context_length_exceeded",
    "context_window_exceeded",
    "contextwindowexceedederror",
    "token_limit_exceeded",
    "exceed_context_size_error",
    "request_too_large",
    "3051",
  ],
  content_filtered_input: [
    "content_filter",
    "content_policy_violation",
    "contentpolicyviolationerror",
    "responsibleaipolicyviolation",
    "data_inspection_failed",
    "prohibited_content",
  ],
  auth_invalid: [
    "invalid_api_key",
    "api_key_invalid",
    "missing_api_key",
    "authentication_error",
    "authenticationerror",
    "invalid_authentication_error",
    "unauthenticated",
    "unauthorized",
    "account_deactivated",
    "unrecognizedclientexception",
    "expiredtokenexception",
  ],
  permission_denied: [
    "permission_error",
    "permission_denied",
    "permissiondeniederror",
    "unsupported_country_region_territory",
    "accessdeniedexception",
    // Google: the free tier is not offered where the server stands.
    "failed_precondition",
  ],
  model_not_found: [
    "model_not_found",
    "not_found",
    "not_found_error",
    "notfounderror",
    "deploymentnotfound",
    "model_decommissioned",
    "resourcenotfoundexception",
    "ftuformnotfilled",
    "1500",
  ],
  json_mode_refused: ["invalid_json_schema", "json_validate_failed"],
  empty_answer: ["tool_use_failed"],
  request_refused: ["string_above_max_length", "string_too_long", "extra_forbidden", "unsupported_parameter"],
};

const KINDS: ReadonlyMap<string, UpstreamErrorKind> = new Map(
  Object.entries(CODES).flatMap(([kind, codes]) => codes.map((code) => [code, kind as UpstreamErrorKind] as const)),
);

/** What the first telling word says; `undefined` where none does. */
export function kindOfCodes(codes: readonly string[]): UpstreamErrorKind | undefined {
  for (const code of codes) {
    const kind = KINDS.get(code);
    if (kind) return kind;
  }
  return undefined;
}
