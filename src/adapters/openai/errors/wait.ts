import { isObject } from "../untrusted.ts";
import { msUntilHttpDate, msUntilTimestamp, parseGoDuration, parseWordDuration } from "./durations.ts";
import type { ProviderError } from "./error-body.ts";

/** Header names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string>>;

/** No wait is reported longer than this: such a number is a mistake, and sums with it must stay exact. */
const MAX_WAIT_MS = 366 * 86_400_000;

/**
 * The wait that a provider asks for in milliseconds, from 0 to a year; `undefined` where it asks for none. The first
 * source that says something decides: `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after`, Google's RetryInfo and
 * its like in the body, the text of the message. A date that has passed says nothing.
 */
export function toldWaitMs(headers: ResponseHeaders, error: ProviderError, nowMs: number): number | undefined {
  return clamped(
    milliseconds(headers["retry-after-ms"]) ??
      milliseconds(headers["x-ms-retry-after-ms"]) ??
      retryAfter(headers["retry-after"], nowMs) ??
      waitInDetails(error, nowMs) ??
      waitInMessage(error.message, nowMs),
  );
}

/**
 * The wait until a window that is used up opens again, from the headers that describe the windows. They come with every
 * answer, so they mean a wait only for an answer that was refused for its rate. The shortest of the windows that say
 * "0 remaining" counts; where none says so, the shortest of all.
 */
export function windowResetMs(headers: ResponseHeaders, error: ProviderError, nowMs: number): number | undefined {
  const all = { ...hiddenHeaders(error), ...headers };
  const resets = Object.entries(all).flatMap(([name, value]) => {
    if (!/^(?:x-|anthropic-)?ratelimit-(?:.+-)?reset(?:-.+)?$/.test(name)) return [];
    const waitMs = untilReset(value, nowMs);
    return waitMs === undefined || waitMs < 0
      ? []
      : [{ waitMs, isExhausted: all[name.replace("reset", "remaining")] === "0" }];
  });
  const exhausted = resets.filter((reset) => reset.isExhausted);
  const relevant = exhausted.length > 0 ? exhausted : resets;
  return relevant.length === 0 ? undefined : clamped(Math.min(...relevant.map((reset) => reset.waitMs)));
}

/** What the provider says about sending the request again (`x-should-retry`, OpenAI and Anthropic). */
export function shouldRetry(headers: ResponseHeaders): boolean | undefined {
  const value = headers["x-should-retry"]?.trim().toLowerCase();
  return value === "true" ? true : value === "false" ? false : undefined;
}

/** OpenRouter repeats the headers of the provider behind it in the body. */
function hiddenHeaders(error: ProviderError): ResponseHeaders {
  const found = error.details.map((detail) => detail.headers).find(isObject) ?? {};
  const texts = Object.entries(found).slice(0, 50);
  return Object.fromEntries(texts.map(([name, value]) => [name.toLowerCase(), String(value).slice(0, 200)]));
}

function milliseconds(text: string | undefined): number | undefined {
  return decimal(text);
}

/** Seconds, perhaps with a fraction, or a date. Some proxies write a Go duration. */
function retryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = decimal(text);
  if (seconds !== undefined) return seconds * 1_000;
  const value = text.trim();
  return parseGoDuration(value) ?? ahead(msUntilHttpDate(value, nowMs)) ?? ahead(msUntilTimestamp(value, nowMs));
}

/** A duration, a timestamp, seconds, or seconds or milliseconds since 1970. */
function untilReset(text: string, nowMs: number): number | undefined {
  const number = decimal(text);
  if (number !== undefined)
    return number > 1e12 ? number - nowMs : number > 1e9 ? number * 1_000 - nowMs : number * 1_000;
  const value = text.trim();
  return parseGoDuration(value) ?? msUntilTimestamp(value, nowMs) ?? msUntilHttpDate(value, nowMs);
}

function waitInDetails(error: ProviderError, nowMs: number): number | undefined {
  for (const detail of error.details) {
    const delay = typeof detail.retryDelay === "string" ? parseGoDuration(detail.retryDelay.trim()) : undefined;
    const waitMs =
      delay ?? numberOf(detail.retry_after_ms) ?? seconds(detail.retry_after) ?? seconds(detail.retry_after_seconds);
    if (waitMs !== undefined) return waitMs;
  }
  return retryAfter(hiddenHeaders(error)["retry-after"], nowMs);
}

const AMOUNT = String.raw`(?<amount>\d{1,12}(?:\.\d{1,12})?)\s?(?<unit>milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?)\b`;
const GO = String.raw`(?<go>(?:\d{1,12}(?:\.\d{1,12})?(?:ms|s|m|h|d)){1,5})(?![\w])`;
const AT = String.raw`(?<at>\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d))`;
const MESSAGE_WAIT = new RegExp(
  String.raw`\b(?:try|retry|retrying|wait|available|resets?)\s(?:again\s|available\s)?(?:in\s|after\s|at\s|for\s)?(?:about\s)?(?:${GO}|${AMOUNT}|${AT})`,
  "i",
);

/** "Please try again in 1m2.5s", "retry after 86400 seconds", "Please wait 20 seconds", "try again at 2030-01-01T00:00:00Z". */
function waitInMessage(message: string, nowMs: number): number | undefined {
  const { go, amount, unit, at } = MESSAGE_WAIT.exec(message)?.groups ?? {};
  if (go !== undefined) return parseGoDuration(go.toLowerCase());
  if (amount !== undefined && unit !== undefined) return parseWordDuration(amount, unit);
  return at === undefined ? undefined : ahead(msUntilTimestamp(at, nowMs));
}

function decimal(text: string | undefined): number | undefined {
  const value = text?.trim() ?? "";
  return /^\d{1,20}(?:\.\d{1,20})?$/.test(value) ? Number(value) : undefined;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "string") return decimal(value);
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function seconds(value: unknown): number | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : number * 1_000;
}

function ahead(waitMs: number | undefined): number | undefined {
  return waitMs === undefined || waitMs < 0 ? undefined : waitMs;
}

/** Rounded up: never shorter than told. */
function clamped(waitMs: number | undefined): number | undefined {
  return waitMs === undefined ? undefined : Math.min(Math.ceil(waitMs), MAX_WAIT_MS);
}
