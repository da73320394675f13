import type { UpstreamErrorFields, UpstreamErrorKind } from "../../../core/model.ts";
import { filterCategory } from "../filter-category.ts";
import { kindOfCodes } from "./codes.ts";
import { type ProviderError, readErrorBody } from "./error-body.ts";
import { kindOfMessage } from "./messages.ts";
import { refineRateLimit } from "./rate-limit.ts";
import { sampleOf, withoutQuotations } from "./scrub.ts";
import { kindOfSilentStatus, kindOfStatus, statusOfCodes } from "./statuses.ts";
import { refineOutputLimit, refineOverflow } from "./token-limits.ts";
import { type ResponseHeaders, shouldRetry, toldWaitMs, windowResetMs } from "./wait.ts";

export interface FailedResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ResponseHeaders;
  /** The body, or as much of it as arrived. */
  readonly body: string;
}

export interface ClassifyContext {
  readonly nowMs: number;
  /** Kept out of the sample. */
  readonly secrets: readonly string[];
}

/** Kinds for which a told wait means something. */
const WAITING: ReadonlySet<UpstreamErrorKind> = new Set<UpstreamErrorKind>([
  "rate_limited",
  "quota_exhausted",
  "overloaded",
]);

/**
 * What a failed response means. Pure. Decided in this order: structured code or type, HTTP status, wording of the
 * message; a message may quote anything, so it is asked last and without its quotations. `unknown` where nothing is
 * recognised.
 */
export function classify(response: FailedResponse, context: ClassifyContext): UpstreamErrorFields {
  const error = withHeaderCode(readErrorBody(response.body), response.headers);
  const status = trueStatus(response.status, error);
  const message = withoutQuotations(error.message).replace(/\s+/g, " ");
  const found = refine(kindOf(status, message, error, response), status, message, error);
  const retry = shouldRetry(response.headers);
  const waitMs = retry === false ? undefined : waitOf(found.kind, response.headers, error, context.nowMs);
  const category = categoryOf(found.kind, error);
  const sample = sampleOf(error.message, context.secrets);
  return {
    ...found,
    httpStatus: response.status,
    ...(waitMs !== undefined && { waitMs }),
    ...(retry !== undefined && { retry }),
    ...(category && { category }),
    ...(sample && { sample }),
    ...codeOf(error, context.secrets),
  };
}

/** Words only, and no keys: a provider may put anything where its code belongs. */
function codeOf({ codes, param }: ProviderError, secrets: readonly string[]): { readonly code?: string } {
  const isWord = (text: string) => /^[\w.[\]-]{1,64}$/.test(text) && sampleOf(text, secrets) === text;
  const words = [codes[0] ?? "", param].filter(isWord);
  return words.length > 0 ? { code: words.join(" ").slice(0, 100) } : {};
}

function kindOf(status: number, message: string, error: ProviderError, response: FailedResponse): UpstreamErrorKind {
  if (status === 402 && isInFlightBudget(error)) return "rate_limited";
  return (
    kindOfCodes(error.codes) ??
    kindOfStatus(status) ??
    kindOfMessage(status, message, error) ??
    kindOfSilentStatus(status, response.body.trim() !== "")
  );
}

function refine(
  kind: UpstreamErrorKind,
  status: number,
  message: string,
  error: ProviderError,
): Omit<UpstreamErrorFields, "httpStatus"> {
  if (kind === "rate_limited") return refineRateLimit(status, message, error);
  if (kind === "context_overflow") return refineOverflow(message);
  if (kind === "output_limit_invalid") return refineOutputLimit(message);
  if (kind === "request_refused" && error.param.startsWith("response_format")) return { kind: "json_mode_refused" };
  return { kind };
}

/**
 * The status that the error is really about: the one in the body where the outer one is a good one (an error in a 200)
 * or a proxy's 5xx around something else, or where the body says 429.
 */
function trueStatus(outer: number, error: ProviderError): number {
  const inner = error.status ?? (outer < 300 ? statusOfCodes(error.codes) : undefined);
  if (inner === undefined) return outer;
  return outer < 300 || outer >= 500 || inner === 429 ? inner : outer;
}

/** AWS names the exception in a header. */
function withHeaderCode(error: ProviderError, headers: ResponseHeaders): ProviderError {
  const name = headers["x-amzn-errortype"]?.replace(/:.*$/, "").trim().toLowerCase();
  return name ? { ...error, codes: [name, ...error.codes] } : error;
}

/** OpenRouter: too much money is bound by requests in flight, which passes; other 402 do not. */
function isInFlightBudget(error: ProviderError): boolean {
  return error.details.some((detail) => detail.limit_source === "openrouter_in_flight_budget");
}

function waitOf(
  kind: UpstreamErrorKind,
  headers: ResponseHeaders,
  error: ProviderError,
  nowMs: number,
): number | undefined {
  if (!WAITING.has(kind)) return undefined;
  return (
    toldWaitMs(headers, error, nowMs) ?? (kind === "rate_limited" ? windowResetMs(headers, error, nowMs) : undefined)
  );
}

function categoryOf(kind: UpstreamErrorKind, error: ProviderError): string {
  if (kind !== "content_filtered_input" && kind !== "content_filtered_output") return "";
  for (const detail of error.details) {
    const category = filterCategory(detail.content_filter_result ?? detail.content_filter_results);
    if (category) return category;
    if (Array.isArray(detail.reasons))
      return detail.reasons
        .filter((reason) => typeof reason === "string")
        .join(",")
        .slice(0, 200);
  }
  return error.codes[0]?.slice(0, 100) ?? "";
}
