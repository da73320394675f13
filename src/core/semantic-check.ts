/** A rule that an answer must keep, as it was declared. */
export interface CheckSource {
  /** CEL that yields a bool, at most 2,048 bytes. */
  readonly rule: string;
  /** What is wrong when it is broken, for the model and the caller. */
  readonly message: string;
}

/** What the rules see. */
export interface CheckFacts {
  /** The parsed JSON value, or the text. */
  readonly output: unknown;
  /** The prompt's variables; empty where messages were given. */
  readonly input: unknown;
  /** The texts of the messages that were given, in which quotes may occur. */
  readonly said: readonly string[];
  /** The context that the model saw. */
  readonly chunks: readonly { readonly id: string; readonly text: string }[];
}

/** A check that an answer breaks. */
export interface BrokenCheck {
  readonly rule: string;
  /** The check's message; where the rule could not be evaluated, followed by the reason, which quotes nothing of the answer. */
  readonly message: string;
}

/** A check that no answer could keep, because of what the request gives it to look at. */
export interface HopelessCheck extends BrokenCheck {
  /** Which of the checks, counted from 0. */
  readonly index: number;
  readonly code: "cel_cost" | "cel_never";
}

/** Compiled checks. Immutable. */
export interface Checks {
  readonly sources: readonly CheckSource[];
  /**
   * The first check that is broken whatever the answer will be: asked before anything is spent on one. Its message is
   * the reason alone.
   */
  refuse(facts: Omit<CheckFacts, "output">): HopelessCheck | undefined;
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

/** A check that can never be used: it does not parse, does not fit the schema, cannot hold, or is nested too deep. */
export class InvalidCheckError extends Error {
  /** Which of the checks, counted from 0. */
  readonly index: number;
  /**
   * What is wrong: "cel_syntax", "cel_size", "cel_nesting", "cel_cost", "cel_type", "cel_unknown_name",
   * "cel_unknown_field", "cel_unknown_function", "cel_pattern" or "cel_never".
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
export const NO_CHECKS: Checks = { sources: [], refuse: () => undefined, evaluate: () => [] };
