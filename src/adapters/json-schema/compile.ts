import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { Budget, BudgetExceeded } from "./budget.ts";
import { formats } from "./formats.ts";
import { installOwnKeywords } from "./own-keywords.ts";
import { patternEngine } from "./patterns.ts";
import type { SchemaObject } from "./shapes.ts";

/** See budget.ts: about half a second at worst; an ordinary answer takes a few hundred steps. */
const MAX_STEPS = 2_000_000;

/** What ajv found: nothing, its errors, or that looking cost too much. */
export type Verdict = readonly ErrorObject[] | "too_costly";

/** A compiled schema, twice: once to answer quickly, and once, when it is first needed, to say all that is wrong. */
export interface CompiledSchema {
  /** At most the first error. */
  check(value: unknown): Verdict;
  /** All errors, with the data and the part of the schema they are about. */
  explain(value: unknown): Verdict;
}

/**
 * @param lowered a schema that has been checked and lowered: ajv's own checks are off, since ours are stricter.
 * Each schema has compilers of its own, which go when it goes: ajv keeps every schema it has seen.
 */
export function compileLowered(lowered: SchemaObject | boolean): CompiledSchema {
  const check = makeValidator(lowered, false);
  let explain: ReturnType<typeof makeValidator> | undefined;
  return {
    check,
    explain: (value) => {
      explain ??= makeValidator(lowered, true);
      return explain(value);
    },
  };
}

function makeValidator(lowered: SchemaObject | boolean, explains: boolean): (value: unknown) => Verdict {
  const budget = new Budget();
  const ajv = new Ajv2020({
    strict: false,
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    logger: false,
    messages: false,
    inlineRefs: false,
    ownProperties: true,
    unicodeRegExp: true,
    allErrors: explains,
    verbose: explains,
    formats,
    code: { regExp: patternEngine(budget) },
  });
  installOwnKeywords(ajv, budget);
  const validate = ajv.compile(lowered);
  return (value) => {
    budget.refill(MAX_STEPS);
    try {
      return validate(value) ? [] : (validate.errors ?? []);
    } catch (error) {
      if (error instanceof BudgetExceeded) return "too_costly";
      throw error;
    } finally {
      // ajv keeps the errors of the last run, and with them the caller's data.
      validate.errors = null;
    }
  };
}
