import type { CheckFacts, HopelessCheck } from "../../core/semantic-check.ts";
import { BudgetExceeded } from "./budget.ts";
import { callsIn } from "./expression.ts";
import { isHopelessWith } from "./hopeless-rules.ts";
import { type CompiledRule, Variables } from "./run-rules.ts";
import { countCharacters, searchedTexts } from "./source-texts.ts";

type RequestFacts = Omit<CheckFacts, "output">;

/** The first rule that no answer can keep, because of what the request gives it to look at. */
export function refuseRequest(rules: readonly CompiledRule[], facts: RequestFacts): HopelessCheck | undefined {
  for (const [index, compiled] of rules.entries()) {
    const { rule } = compiled.source;
    const tooMuch = tooMuchFor(compiled, facts);
    if (tooMuch !== undefined) return { index, code: "cel_cost", rule, message: tooMuch };
    const nothing = nothingFor(compiled, facts);
    if (nothing !== undefined) return { index, code: "cel_never", rule, message: nothing };
  }
  return undefined;
}

function tooMuchFor({ parsed, reads }: CompiledRule, facts: RequestFacts): string | undefined {
  try {
    if (callsIn(parsed.expr).has("quoted")) countCharacters(searchedTexts(facts));
    const values = new Variables({ ...facts, output: null });
    values.of(reads.filter((name) => name !== "output"));
    return undefined;
  } catch (error) {
    if (error instanceof BudgetExceeded) return error.message;
    throw error;
  }
}

/** An empty list of ids or of quotes holds on nothing, so only rules that ask for one in any case are hopeless. */
function nothingFor({ parsed, asksOfTexts }: CompiledRule, facts: RequestFacts): string | undefined {
  if (asksOfTexts.size === 0) return undefined;
  const isUncitable = facts.chunks.length === 0;
  const isUnquotable = isUncitable && [...searchedTexts(facts)].every((text) => text.trim() === "");
  const isFalse = (name: string) => (name === "cited" ? isUncitable : isUnquotable);
  if (!isUncitable || !isHopelessWith(parsed.expr, (call) => asksOfTexts.has(call) && isFalse(call.function)))
    return undefined;
  return isUnquotable && callsIn(parsed.expr).has("quoted")
    ? "there is nothing to quote: the request has no context, no variables and no messages with a text"
    : "there is nothing to cite: the request has no context";
}
