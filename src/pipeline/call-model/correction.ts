import type { ChatMessage } from "../../core/model.ts";
import type { BuiltinPrompts } from "../../core/prompt.ts";
import { hasTemplateToken } from "../build-context/template-tokens.ts";
import type { BadAnswer } from "../judge.ts";
import { leadingReasoningEnd } from "../parse/reasoning.ts";

/** Of an answer that is shown to the model again. */
const MAX_QUOTED_CHARACTERS = 2_000;
/** Of one explanation. */
const MAX_PROBLEM_CHARACTERS = 400;
const MAX_PROBLEMS = 8;

const NOT_SHOWN = "(This answer is not shown again.)";

/**
 * The messages that follow a prompt whose answer was bad: what the model said, and what is wrong with it. They replace
 * those of an earlier round, so that the prompt does not grow from round to round; instruction and schema stay before
 * them. Their length is bounded whatever the answer's is.
 */
export function correctionMessages(
  builtins: BuiltinPrompts,
  { text, bad, isJson }: { readonly text: string; readonly bad: BadAnswer; readonly isJson: boolean },
): readonly ChatMessage[] {
  const violations = bad.kind === "wrong" ? [] : bad.violations;
  const broken = bad.kind === "wrong" ? bad.broken : [];
  const variables = {
    answer: shown(text),
    isJson,
    problems: violations.slice(0, MAX_PROBLEMS).map(({ path, rule, expected, got }) => ({
      path: bounded(path),
      rule: bounded(rule),
      expected: bounded(expected),
      got: bounded(got),
    })),
    checks: broken.slice(0, MAX_PROBLEMS).map(({ message }) => bounded(message)),
  };
  return builtins.correction.render({ value: variables, spelled: variables }, []);
}

/** Without what it thought aloud first. The role of a turn is the model's, and some servers would read a chat-template token in its words as structure. */
function shown(text: string): string {
  const answer = text.slice(leadingReasoningEnd(text));
  const beginning = answer.slice(0, MAX_QUOTED_CHARACTERS).toWellFormed().trim();
  if (!beginning || hasTemplateToken(beginning)) return NOT_SHOWN;
  return answer.length > MAX_QUOTED_CHARACTERS ? `${beginning} […]` : beginning;
}

function bounded(text: string): string {
  const words = text.toWellFormed();
  const safe = hasTemplateToken(words) ? "(not shown)" : words;
  return safe.length > MAX_PROBLEM_CHARACTERS ? `${safe.slice(0, MAX_PROBLEM_CHARACTERS)}…` : safe;
}
