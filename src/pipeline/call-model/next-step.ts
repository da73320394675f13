import type { UpstreamErrorFields, UpstreamErrorKind } from "../../core/model.ts";

/** `retry` in the configuration. */
export interface RetryPolicy {
  /** All attempts of a call together, whatever causes them. */
  readonly maxAttempts: number;
  /** Attempts that ask the model to mend an answer that breaks its schema or a check. */
  readonly maxCorrections: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** The longest wait that a provider may ask for; a longer one goes to the next model, or fails with the true wait. */
  readonly maxWaitMs: number;
}

/** What to do after a failed attempt. */
export type NextStep =
  /** Ask the same model the same again, after the wait. Told: by the provider, which tells everybody else the same. */
  | { readonly kind: "again"; readonly waitMs: number; readonly isTold: boolean }
  /** Ask the same model something else, as the failure says; where nothing can be changed, the next model. */
  | { readonly kind: "changed" }
  /** Ask the next model of the chain; without one, give up. */
  | { readonly kind: "next_model" }
  /** Asking anyone again is pointless or wrong. */
  | { readonly kind: "give_up" };

/** What the decision depends on besides the failure. */
export interface Situation {
  readonly policy: RetryPolicy;
  /** Failures of this model since it was last asked something else, this one included. */
  readonly failuresInRow: number;
  readonly remainingMs: number;
  /** Whether there is another model that the prompt fits. */
  readonly hasNextModel: boolean;
  /** 0 up to 1. */
  readonly random: number;
}

/** How each kind of failure is answered. One row for every kind; the row, not the kind, says what happens. */
type Answer =
  /** Wait as told, or back off; after a second failure, or a wait that does not fit, the next model. */
  | "wait_or_next"
  /** The same model at once, asked differently: less prompt, less output, no native JSON mode. */
  | "change"
  /** The next model, or the same once more without waiting: silence says nothing about load. */
  | "once_more"
  | "next_model"
  | "give_up";

const answers: Record<UpstreamErrorKind, Answer> = {
  rate_limited: "wait_or_next",
  overloaded: "wait_or_next",
  unreachable: "wait_or_next",
  stream_interrupted: "wait_or_next",
  empty_answer: "wait_or_next",
  bad_vectors: "wait_or_next",
  unknown: "wait_or_next",
  first_byte_timeout: "once_more",
  idle_timeout: "once_more",
  attempt_timeout: "once_more",
  context_overflow: "change",
  payload_too_large: "change",
  prompt_truncated: "change",
  output_limit_invalid: "change",
  json_mode_refused: "change",
  // A retry would be refused again, but another provider has its own window, account and models.
  exceeds_rate_window: "next_model",
  quota_exhausted: "next_model",
  auth_invalid: "next_model",
  permission_denied: "next_model",
  model_not_found: "next_model",
  // What one provider's filter stops is not carried round it to another; a refused shape is our own mistake.
  content_filtered_input: "give_up",
  content_filtered_output: "give_up",
  request_refused: "give_up",
  wrong_dimension: "give_up",
};

/**
 * Decides what follows a failed attempt. Pure: the same failure in the same situation has the same answer. What the
 * provider says of a retry (`retry`) goes before what the kind of failure suggests.
 */
export function nextStep(error: UpstreamErrorFields, situation: Situation): NextStep {
  const answer = answers[error.kind];
  // Forbidding a retry forbids the same request, not a different one.
  if (error.retry === false && (answer === "wait_or_next" || answer === "once_more")) return { kind: "next_model" };
  // The adapter has learned how to say it; the budget of attempts bounds how often it may.
  if (error.retry && (answer === "give_up" || answer === "next_model"))
    return { kind: "again", waitMs: 0, isTold: false };
  switch (answer) {
    case "wait_or_next":
      return waitOrNext(error, situation);
    case "once_more":
      return onceMore(situation);
    case "change":
      return { kind: "changed" };
    case "next_model":
      return { kind: "next_model" };
    case "give_up":
      return { kind: "give_up" };
  }
}

/** Two silences of a model are enough; so is one where another can be asked. */
function onceMore({ failuresInRow, hasNextModel }: Situation): NextStep {
  return hasNextModel || failuresInRow > 1 ? { kind: "next_model" } : { kind: "again", waitMs: 0, isTold: false };
}

function waitOrNext(error: UpstreamErrorFields, situation: Situation): NextStep {
  const { policy, failuresInRow, remainingMs, hasNextModel, random } = situation;
  if (hasNextModel && failuresInRow > 1) return { kind: "next_model" };
  const waitMs = error.waitMs === undefined ? backoffMs(policy, failuresInRow, random) : jitterUp(error.waitMs, random);
  // No sleep is begun that would outlive the call, or that the operator would not allow.
  const fits = waitMs < remainingMs && (error.waitMs ?? 0) <= policy.maxWaitMs;
  return fits ? { kind: "again", waitMs, isTold: error.waitMs !== undefined } : { kind: "next_model" };
}

/** Never shorter than told, and not everyone at the same moment: up to a twentieth longer, at most a second. */
function jitterUp(waitMs: number, random: number): number {
  return waitMs + random * Math.min(waitMs / 20, 1000);
}

/** Exponential with "equal jitter": half fixed, half random (Brooker, "Exponential Backoff And Jitter", AWS 2015). */
function backoffMs(policy: RetryPolicy, failuresInRow: number, random: number): number {
  const full = Math.min(policy.backoffMaxMs, policy.backoffBaseMs * 2 ** Math.min(failuresInRow - 1, 30));
  return full / 2 + (random * full) / 2;
}
