import type { Attempt } from "../../../gen/sluice/v1/attempt_pb.ts";
import type { Failure } from "../../core/failure.ts";
import type { BadAnswer } from "../judge.ts";

const MAX_EXCERPT_CHARACTERS = 512;

/** How a bad answer is met. */
export type Remedy =
  /** More output tokens. */
  | "more_output"
  /** The same model, told what is wrong. */
  | "correct"
  /** The stronger model. */
  | "escalate"
  | "give_up";

/** What the decision depends on besides the answer. */
export interface BadAnswerSituation {
  readonly attemptsLeft: number;
  readonly correctionsLeft: number;
  /** Whether this model was already told what cannot be true. */
  readonly wasExplained: boolean;
  /** Whether there is a stronger model that was not asked yet. */
  readonly mayEscalate: boolean;
}

/**
 * Decides how a bad answer is met. Pure. The last attempt is not spent on a correction where a stronger model can have
 * it; what is valid and wrong is explained to a model once, since a model that insists does not know better.
 */
export function remedyFor(bad: BadAnswer, situation: BadAnswerSituation): Remedy {
  const { attemptsLeft, correctionsLeft, wasExplained, mayEscalate } = situation;
  if (attemptsLeft < 1) return "give_up";
  if (bad.kind === "cut") return "more_output";
  const isLastForOther = attemptsLeft === 1 && mayEscalate;
  const mayCorrect = correctionsLeft > 0 && !(bad.kind === "wrong" && wasExplained);
  if (mayCorrect && !isLastForOther) return "correct";
  return mayEscalate ? "escalate" : "give_up";
}

/** The failure of a call whose last answer was bad. */
export function badAnswerFailure(bad: BadAnswer, text: string, attempts: readonly Attempt[]): Failure {
  const excerpt = text.slice(0, MAX_EXCERPT_CHARACTERS);
  if (bad.kind === "wrong") return { reason: "SEMANTIC_FAILURE", violations: bad.broken, attempts, excerpt };
  return { reason: "PARSE_FAILURE", violations: bad.violations, attempts, excerpt, truncated: bad.kind === "cut" };
}
