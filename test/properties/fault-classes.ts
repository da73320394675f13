import type { FailureReason } from "../../src/core/failure.ts";
import type { UpstreamErrorKind } from "../../src/core/model.ts";
import type { FaultClass } from "./plan.ts";

/** The kinds of upstream failure, and what a call that meets nothing else must fail with. Written apart from the product. */
export const reasonOfKind: Readonly<Record<UpstreamErrorKind, FailureReason>> = {
  rate_limited: "RATE_LIMITED",
  exceeds_rate_window: "REQUEST_EXCEEDS_RATE_WINDOW",
  quota_exhausted: "QUOTA_EXHAUSTED",
  overloaded: "MODEL_UNAVAILABLE",
  context_overflow: "CONTEXT_OVERFLOW",
  output_limit_invalid: "PROVIDER_MISCONFIGURED",
  payload_too_large: "CONTEXT_OVERFLOW",
  content_filtered_input: "CONTENT_FILTERED",
  content_filtered_output: "CONTENT_FILTERED",
  auth_invalid: "PROVIDER_MISCONFIGURED",
  permission_denied: "PROVIDER_MISCONFIGURED",
  model_not_found: "PROVIDER_MISCONFIGURED",
  json_mode_refused: "PROVIDER_MISCONFIGURED",
  request_refused: "PROVIDER_MISCONFIGURED",
  first_byte_timeout: "MODEL_TIMEOUT",
  idle_timeout: "MODEL_TIMEOUT",
  attempt_timeout: "MODEL_TIMEOUT",
  unreachable: "MODEL_UNAVAILABLE",
  stream_interrupted: "STREAM_INTERRUPTED",
  empty_answer: "MODEL_UNAVAILABLE",
  prompt_truncated: "CONTEXT_OVERFLOW",
  unknown: "MODEL_UNAVAILABLE",
  bad_vectors: "PARSE_FAILURE",
  wrong_dimension: "PROVIDER_MISCONFIGURED",
};

/** What no chat model fails with. */
const ofEmbeddings: ReadonlySet<string> = new Set(["bad_vectors", "wrong_dimension"]);

export const errorKinds: readonly UpstreamErrorKind[] = Object.keys(reasonOfKind)
  .filter(isErrorKind)
  .filter((kind) => !ofEmbeddings.has(kind));

/** The kind of failure that a class shows to the pipeline; undefined where the model gives an answer. */
export function kindOf(fault: FaultClass): UpstreamErrorKind | undefined {
  if (fault === "cut" || fault === "no_end") return "stream_interrupted";
  if (fault === "stall") return "idle_timeout";
  return isErrorKind(fault) ? fault : undefined;
}

function isErrorKind(fault: string): fault is UpstreamErrorKind {
  return Object.hasOwn(reasonOfKind, fault);
}

export const answerClasses = [
  "good",
  "wrapped_json",
  "malformed_json",
  "wrong_shape",
  "bad_semantics",
  "truncated",
  "length_whole",
  "blank",
  "usage_missing",
  "usage_absurd",
  "read_a_part",
] as const satisfies readonly FaultClass[];

export const faultClasses: readonly FaultClass[] = [...errorKinds, "cut", "no_end", "stall", ...answerClasses];
