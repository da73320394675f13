import { type CelResult, type CelValue, celType, isCelError } from "@bufbuild/cel";
import type { BrokenCheck, CheckFacts, CheckSource } from "../../core/semantic-check.ts";
import { type Budget, BudgetExceeded } from "./budget.ts";
import { failureText } from "./failure-text.ts";
import { JsonValues } from "./json-values.ts";
import type { Call, Rule } from "./parse-rule.ts";
import { withoutStacks } from "./without-stacks.ts";

/** What all checks of an answer may do together: measured, some tens of milliseconds at the very most. */
const STEPS_PER_ANSWER = 100_000;

export type Variable = "output" | "input" | "chunks";

export interface CompiledRule {
  readonly source: CheckSource;
  /** The variables that the rule names; others are not converted. */
  readonly reads: readonly Variable[];
  readonly run: (variables: Record<string, CelValue>) => CelResult;
  readonly parsed: Rule;
  /** Its calls of `cited` and `quoted` that are false where there is nothing to find. */
  readonly asksOfTexts: ReadonlySet<Call>;
}

/** Evaluates the rules. Each may spend its share of the steps and what those before it left. */
export function evaluateRules(
  rules: readonly CompiledRule[],
  facts: CheckFacts,
  budget: Budget,
): readonly BrokenCheck[] {
  const variables = new Variables(facts);
  const share = Math.floor(STEPS_PER_ANSWER / rules.length);
  return rules.flatMap((rule) => {
    budget.grant(share);
    const { rule: text, message } = rule.source;
    const outcome = evaluateRule(rule, variables, budget);
    if (outcome === true) return [];
    return { rule: text, message: outcome === false ? message : `${message} (cannot be evaluated: ${outcome})` };
  });
}

/** Whether the rule holds, or why that cannot be said. */
function evaluateRule(rule: CompiledRule, variables: Variables, budget: Budget): boolean | string {
  let result: CelResult;
  try {
    const values = variables.of(rule.reads);
    result = withoutStacks(() => rule.run(values));
  } catch (error) {
    // The engine catches what happens inside of a rule; this comes from converting the values.
    if (!(error instanceof BudgetExceeded)) throw error;
    return error.message;
  }
  // An error that `||` swallowed is still a rule that was not carried out to its end.
  if (budget.isOverdrawn) return "the rule costs too much on this answer";
  if (isCelError(result)) return failureText(result, rule.parsed);
  return typeof result === "boolean" ? result : `the rule yields a ${celType(result).name}, not a bool`;
}

/** The facts as the engine's values, each converted when a rule first asks for it. */
export class Variables {
  readonly #facts: CheckFacts;
  readonly #values = new JsonValues();
  readonly #converted = new Map<Variable, CelValue>();

  constructor(facts: CheckFacts) {
    this.#facts = facts;
  }

  of(names: readonly Variable[]): Record<string, CelValue> {
    return Object.fromEntries(names.map((name) => [name, this.#one(name)]));
  }

  #one(name: Variable): CelValue {
    const known = this.#converted.get(name);
    if (known !== undefined) return known;
    const { [name]: fact } = this.#facts;
    const value = this.#values.convert(
      name === "chunks" ? this.#facts.chunks.map(({ id, text }) => ({ id, text })) : fact,
    );
    this.#converted.set(name, value);
    return value;
  }
}
