import { _, type CodeKeywordDefinition, Name } from "ajv/dist/2020.js";
import { type Budget, BudgetExceeded } from "./budget.ts";

/** The keyword of our own that counts work. No schema from outside can hold it: it would be unknown. */
export const COST_KEYWORD = "sluiceCost";

/** What it costs to look at one value with one schema. */
export interface Cost {
  readonly steps: number;
  /** How many keywords go over all items, properties or characters of the value. */
  readonly passes: number;
  /** The value is looked at by this schema alone, so that the size of the value bounds the work. */
  readonly isPaid: boolean;
}

/** Errors that one function of the generated code may hold; as many as a value that is explained has nodes. */
const MAX_ERRORS = 10_000;
/** A function that calls another copies the errors that it holds. */
const ERRORS_PER_STEP = 128;
const CHARACTERS_PER_STEP = 64;
const ITEMS_PER_STEP = 4;
/** Counted, and then gone through: in a large object each time as dear as a look-up. */
const STEPS_PER_KEY = 1.5;

/** The name of the count of errors in the code that ajv generates (its compile/names). */
const errorCount = new Name("errors");

/**
 * Counts the work of each schema before any of it is done, and the errors that were found up to there: with `allErrors`
 * their number can grow exponentially while each step is cheap.
 * @param everywhere also where the size of the value pays for the work, since it does not pay for the errors.
 */
export function costKeyword(budget: Budget, everywhere: boolean): CodeKeywordDefinition {
  const spend = (steps: number, passes: number, data: unknown, errors: number) => {
    if (errors > MAX_ERRORS) throw new BudgetExceeded();
    budget.spend(steps + (passes && passes * widthOf(data)) + errors / ERRORS_PER_STEP);
  };
  return {
    keyword: COST_KEYWORD,
    before: "$ref",
    code({ gen, data, schema }) {
      const { steps, passes, isPaid }: Cost = schema;
      if (isPaid && !everywhere) return;
      const call = gen.scopeValue("keyword", { ref: spend });
      gen.code(_`${call}(${steps}, ${isPaid ? 0 : passes}, ${data}, ${errorCount})`);
    },
  };
}

/** The size of a value without what is inside its members, in steps. */
function widthOf(value: unknown): number {
  if (typeof value === "string") return value.length / CHARACTERS_PER_STEP;
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.length / ITEMS_PER_STEP;
  let keys = 0;
  for (const key in value) if (key) keys += 1;
  return keys * STEPS_PER_KEY;
}
