import type { CelError } from "@bufbuild/cel";
import type { Rule } from "./parse-rule.ts";

/** What the engine and our functions say without quoting values. */
const WITHOUT_VALUES = [
  /^found no matching overload/,
  /^type mismatch/,
  /(?:takes|take) (?:numbers|texts|whole numbers) only$/,
  /by zero$/,
  /^int overflow/,
  /^the pattern is /,
  /^the text is (?:too long$|not an RFC 3339 time)/,
  /^there is no such (?:day|time zone)$/,
  /^times are of the years/,
  /^quotes are looked for/,
];
const MAX_CHARACTERS = 200;

/**
 * Why a rule failed on an answer, for the model and the log. Messages that may quote the answer (a text that is no
 * number, a key that stands twice) are replaced by the place in the rule.
 */
export function failureText(error: CelError, rule: Rule): string {
  const place = error.exprId === undefined ? "" : rule.placeOf(error.exprId);
  const what = withoutValues(error.message, rule.text).slice(0, MAX_CHARACTERS);
  return place ? `${place}: ${what}` : what;
}

function withoutValues(message: string, ruleText: string): string {
  const missing = /^field not found: (.+)$/.exec(message)?.[1];
  // A name that the rule spells is the rule's; any other came with the answer.
  if (missing !== undefined) return ruleText.includes(missing) ? `there is no ${missing}` : "a key is not there";
  if (/^index \S+ out of bounds/.test(message)) return "the list has no item at this place";
  if (message.startsWith("map key conflict")) return "a key of the map stands twice";
  return WITHOUT_VALUES.some((pattern) => pattern.test(message)) ? message : "an operation fails on this value";
}
