const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a duration as Go prints it ("174ms", "6m0s", "10h17m5.723541104s"), which is what rate limit headers,
 * error messages and Google's `RetryInfo` use. `undefined` for anything else.
 */
export function parseGoDuration(text: string): number | undefined {
  if (!/^(?:\d{1,15}(?:\.\d{1,15})?(?:ns|us|µs|ms|s|m|h|d)){1,8}$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return totalMs;
}

const WORD_UNITS: Readonly<Record<string, string>> = {
  millisecond: "ms",
  second: "s",
  sec: "s",
  minute: "m",
  min: "m",
  hour: "h",
  hr: "h",
  day: "d",
};

/** Milliseconds of "20 seconds", "2 minutes", "1.5 hours", "1 day"; `undefined` for anything else. */
export function parseWordDuration(amount: string, unit: string): number | undefined {
  const short = WORD_UNITS[unit.toLowerCase().replace(/s$/, "")] ?? unit.toLowerCase();
  return parseGoDuration(`${amount}${short}`);
}

/** Milliseconds from `nowMs` to a timestamp of RFC 3339; `undefined` for anything else. May be negative. */
export function msUntilTimestamp(text: string, nowMs: number): number | undefined {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i.test(text)
    ? msUntil(text, nowMs)
    : undefined;
}

/** Milliseconds from `nowMs` to an HTTP date (RFC 9110, 5.6.7, all three forms); `undefined` for anything else. May be negative. */
export function msUntilHttpDate(text: string, nowMs: number): number | undefined {
  const forms = [
    /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
    /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d\d:\d\d:\d\d GMT$/,
    /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
  ];
  if (!forms.some((form) => form.test(text))) return undefined;
  return msUntil(text.endsWith("GMT") ? text : `${text} GMT`, nowMs);
}

function msUntil(text: string, nowMs: number): number | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at - nowMs;
}
