import type { UpstreamErrorFields } from "../../../core/model.ts";
import { isObject } from "../untrusted.ts";
import type { ProviderError } from "./error-body.ts";

type Finding = Pick<UpstreamErrorFields, "kind" | "unit" | "limit" | "requested">;

const NO_MONEY =
  /exceeded your current quota|check your plan and billing|insufficient (?:quota|credits|balance|funds)|credit balance/i;
const NO_CAPACITY =
  /capacity (?:exceeded|constraints)|overloaded|high demand|temporarily unable to process|server busy|no capacity/i;
const BUDGET_OF_ONE = /token budget exceeded by request parameters/i;

/**
 * What is behind a refusal for rate, whose code and status are shared by four causes: a window that opens again, one
 * request larger than its whole window, money or a day's quota, and a provider without capacity.
 */
export function refineRateLimit(status: number, message: string, error: ProviderError): Finding {
  const quota = googleQuota(error);
  if (quota === "day" || /\blimit: 0\b/.test(message)) return { kind: "quota_exhausted" };
  if (quota === undefined && NO_MONEY.test(message)) return { kind: "quota_exhausted" };
  if (NO_CAPACITY.test(message)) return { kind: "overloaded" };
  const window = readWindow(message);
  if (window.limit !== undefined && window.requested !== undefined) {
    // The phrase "Request too large" also comes for small requests while the window is full: only the numbers tell.
    return { kind: window.requested > window.limit ? "exceeds_rate_window" : "rate_limited", ...window };
  }
  const isTooLarge = status === 413 || BUDGET_OF_ONE.test(message);
  return { kind: isTooLarge ? "exceeds_rate_window" : "rate_limited", ...window };
}

/** OpenAI and Groq: `… on tokens per min (TPM): Limit 30000, Used 18928, Requested 11159.` */
function readWindow(message: string): Omit<Finding, "kind"> {
  const unit = /\b(?:(?:input |output )?tokens|requests|images) per (?:second|minute|min|hour|day)\b/i.exec(
    message,
  )?.[0];
  const limit = /\bLimit:? (\d{1,15})\b/i.exec(message)?.[1];
  const requested = /\bRequested:? (\d{1,15})\b/i.exec(message)?.[1];
  return {
    ...(unit && { unit: unit.toLowerCase().replace(/min$/, "minute") }),
    ...(limit && { limit: Number(limit) }),
    ...(requested && { requested: Number(requested) }),
  };
}

/** Google names the window in `QuotaFailure.violations[].quotaId`: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. */
function googleQuota(error: ProviderError): "day" | "minute" | undefined {
  const violations = error.details.flatMap((detail) =>
    Array.isArray(detail.violations) ? detail.violations.slice(0, 20) : [],
  );
  const ids = violations
    .filter(isObject)
    .map((violation) => `${violation.quotaId} ${violation.quotaValue === "0" ? "PerDay" : ""}`);
  if (ids.some((id) => id.includes("PerDay"))) return "day";
  const isTold = error.details.some((detail) => detail.retryDelay !== undefined);
  return ids.length > 0 || isTold ? "minute" : undefined;
}
