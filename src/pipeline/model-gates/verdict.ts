import type { UpstreamErrorFields, UpstreamErrorKind } from "../../core/model.ts";

/** What an attempt's end says of the model: it works, it does not, or nothing either way. */
export type Verdict = "answered" | "failed" | "none";

/**
 * Whether a failure counts against the model. The kind decides rather than the status: a provider that says of its own
 * capacity that it is used up (Azure's and Mistral's 429) is overloaded. Whoever refuses a request, however it is
 * refused, is alive and has an answer for the next one.
 */
const verdicts: Record<UpstreamErrorKind, Verdict> = {
  overloaded: "failed",
  unreachable: "failed",
  stream_interrupted: "failed",
  first_byte_timeout: "failed",
  idle_timeout: "failed",
  attempt_timeout: "failed",
  unknown: "none",
  rate_limited: "answered",
  exceeds_rate_window: "answered",
  quota_exhausted: "answered",
  context_overflow: "answered",
  prompt_truncated: "answered",
  output_limit_invalid: "answered",
  payload_too_large: "answered",
  content_filtered_input: "answered",
  content_filtered_output: "answered",
  auth_invalid: "answered",
  permission_denied: "answered",
  model_not_found: "answered",
  json_mode_refused: "answered",
  request_refused: "answered",
  // A whole response of the server. That it holds nothing is mostly the prompt's doing: a model may have no more to say.
  empty_answer: "answered",
  bad_vectors: "answered",
  wrong_dimension: "answered",
};

/** @param outcome what the attempt ended in; undefined: a whole answer. @param isAlive whether a part of an answer came. */
export function verdictOf(outcome: UpstreamErrorFields | "abandoned" | undefined, isAlive: boolean): Verdict {
  if (outcome === undefined) return "answered";
  if (outcome === "abandoned") return "none";
  // An answer that was still coming when our own limit of the attempt cut it is long, and no sign of a fault.
  if (outcome.kind === "attempt_timeout" && isAlive) return "none";
  if (outcome.kind === "unknown") return verdictOfStatus(outcome.httpStatus);
  return verdicts[outcome.kind];
}

function verdictOfStatus(httpStatus: number): Verdict {
  if (httpStatus >= 500) return "failed";
  return httpStatus > 0 ? "answered" : "none";
}
