import type { Failure } from "../core/failure.ts";
import type { SchemaViolation } from "../core/json-schema.ts";
import type { BrokenCheck, CheckFacts } from "../core/semantic-check.ts";
import type { DraftOutput } from "./build-context/draft.ts";
import { type Answer, parseAnswer } from "./parse.ts";

/** What the parse stage makes of a whole answer. */
export type Verdict = GoodAnswer | BadAnswer;

export interface GoodAnswer {
  readonly kind: "good";
  /** For JSON the exact text of the validated value. */
  readonly text: string;
  readonly repairs: readonly string[];
}

/** An answer that came whole, was paid for, and cannot be used as it is. */
export type BadAnswer =
  /** It ran into its number of output tokens: more tokens may help, words will not. */
  | { readonly kind: "cut"; readonly violations: readonly SchemaViolation[] }
  /** It is no JSON, or breaks the schema. */
  | { readonly kind: "malformed"; readonly violations: readonly SchemaViolation[] }
  /** It has the right shape, and says what cannot be true. */
  | { readonly kind: "wrong"; readonly broken: readonly BrokenCheck[] };

/** The reason that the attempt of a bad answer is recorded with. */
export const badAnswerReason = {
  cut: "PARSE_FAILURE",
  malformed: "PARSE_FAILURE",
  wrong: "SEMANTIC_FAILURE",
} as const satisfies Record<BadAnswer["kind"], Failure["reason"]>;

/**
 * The parse stage: text → the value that satisfies the schema and the checks, or what is wrong with it.
 * @param shownExample see `shownExampleOf`.
 */
export function judge(
  answer: Answer,
  output: DraftOutput,
  facts: Omit<CheckFacts, "output">,
  shownExample: string,
): Verdict {
  const parsed = parseAnswer(answer, output.kind === "json" ? { ...output, shownExample } : output);
  if (!parsed.ok) return { kind: parsed.truncated ? "cut" : "malformed", violations: parsed.violations };
  const { text, repairs } = parsed;
  const broken = output.checks.evaluate({ ...facts, output: output.kind === "json" ? parsed.value : text });
  if (broken.length === 0) return { kind: "good", text, repairs };
  if (output.kind === "json" || answer.finish === "stop") return { kind: "wrong", broken };
  // What is missing may be what the check asks for.
  const violations = broken.map(({ message }) => ({ path: "", rule: "check", expected: message, got: "a cut text" }));
  return { kind: "cut", violations };
}
