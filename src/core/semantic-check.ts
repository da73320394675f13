/** A rule that an answer must keep, as it was declared. */
export interface CheckSource {
  /** CEL that yields a bool, at most 2,048 bytes. */
  readonly rule: string;
  /** What is wrong when it is broken, for the model, the caller and the log. */
  readonly message: string;
}

/** What the rules see. */
export interface CheckFacts {
  /** The parsed JSON value, or the text. */
  readonly output: unknown;
  /** The prompt's variables. */
  readonly input: unknown;
  /** The context that the model saw. */
  readonly chunks: readonly { readonly id: string; readonly text: string }[];
}

/** A check that an answer breaks. */
export interface BrokenCheck {
  readonly rule: string;
  /** The check's message; where the rule could not be evaluated, followed by the reason, which quotes nothing of the answer. */
  readonly message: string;
}

/** Compiled checks. Immutable. */
export interface Checks {
  readonly sources: readonly CheckSource[];
  /**
   * The broken ones, in the order of the checks; empty when all hold. Never throws for a bad answer: a rule that cannot
   * be evaluated on it, or costs too much on it, is broken. Blocks for some tens of milliseconds at the very most.
   */
  evaluate(facts: CheckFacts): readonly BrokenCheck[];
}

/** What is known when checks are compiled. */
export interface CheckShape {
  /** JSON Schema of a JSON answer, one that compiles; absent where the answer is text. */
  readonly schemaText?: string;
  /** JSON Schema of the variables; absent where anything may be there. */
  readonly inputSchemaText?: string;
}

/** A check that can never be used: it does not parse, does not fit the schema, or is nested too deep. */
export class InvalidCheckError extends Error {
  /** Which of the checks, counted from 0. */
  readonly index: number;
  /**
   * What is wrong: "cel_syntax", "cel_size", "cel_nesting", "cel_cost", "cel_type", "cel_unknown_name",
   * "cel_unknown_field", "cel_unknown_function" or "cel_pattern".
   */
  readonly rule: string;

  /** `message` says the line and column in the rule and what is wrong. */
  constructor(index: number, rule: string, message: string) {
    super(message);
    this.name = "InvalidCheckError";
    this.index = index;
    this.rule = rule;
  }
}

/** Compiles checks and keeps the compiled ones in a bounded cache. */
export interface CheckCompiler {
  /** @throws InvalidCheckError for the first check that cannot be used. */
  compile(sources: readonly CheckSource[], shape: CheckShape): Checks;
}

/** Where nothing is checked. */
export const NO_CHECKS: Checks = { sources: [], evaluate: () => [] };
