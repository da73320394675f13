import { Ajv2020, type ErrorObject, type KeywordDefinition } from "ajv/dist/2020.js";
import { branchKeywords } from "./branch-keywords.ts";
import { Budget, BudgetExceeded } from "./budget.ts";
import { costKeyword } from "./cost-keyword.ts";
import { formats } from "./formats.ts";
import { ownKeywords } from "./own-keywords.ts";
import { patternEngine } from "./patterns.ts";
import type { SchemaObject } from "./shapes.ts";

/** See budget.ts. An ordinary answer takes fewer steps than it has values; together they bound a check to about 0.1 s. */
const BASE_STEPS = 10_000;
const STEPS_PER_VALUE = 200;
const MAX_STEPS = 400_000;
/** To find all errors, where it is already known that there are some. */
const MAX_EXPLAINING_STEPS = 100_000;

/** What ajv found: nothing, its errors, or that looking cost too much. */
export type Verdict = readonly ErrorObject[] | "too_costly";

/** A compiled schema, twice: once to answer quickly, and once, when it is first needed, to say all that is wrong. */
export interface CompiledSchema {
  /**
   * At most the first error.
   * @param nodes how many values the value is made of: a small value that costs much is hostile.
   */
  check(value: unknown, nodes: number): Verdict;
  /** All errors, with the data and the part of the schema they are about. */
  explain(value: unknown, nodes: number): Verdict;
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
    explain: (value, nodes) => {
      explain ??= makeValidator(lowered, true);
      return explain(value, nodes);
    },
  };
}

function makeValidator(lowered: SchemaObject | boolean, explains: boolean): CompiledSchema["check"] {
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
    verbose: true,
    formats,
    code: { regExp: patternEngine(budget) },
  });
  replaceKeywords(ajv, ownKeywords(budget));
  if (!explains) replaceKeywords(ajv, branchKeywords);
  ajv.addKeyword(costKeyword(budget, explains));
  const maxSteps = explains ? MAX_EXPLAINING_STEPS : MAX_STEPS;
  const validate = ajv.compile(lowered);
  return (value, nodes) => {
    budget.refill(Math.min(maxSteps, BASE_STEPS + STEPS_PER_VALUE * nodes));
    try {
      return validate(value) ? [] : (validate.errors ?? []);
    } catch (error) {
      // Schemas that look at one value in a long row of references go deep at every level of the value.
      if (error instanceof BudgetExceeded || error instanceof RangeError) return "too_costly";
      throw error;
    } finally {
      // ajv keeps the errors of the last run, and with them the caller's data.
      validate.errors = null;
    }
  };
}

function replaceKeywords(ajv: Ajv2020, definitions: readonly KeywordDefinition[]): void {
  for (const definition of definitions) {
    ajv.removeKeyword(String(definition.keyword));
    ajv.addKeyword(definition);
  }
}
