import type { FuncKeywordDefinition } from "ajv/dist/2020.js";
import type { Budget } from "./budget.ts";
import { equalityKey } from "./equality.ts";
import { isMultipleOf } from "./multiple-of.ts";

/**
 * Our own reading of four keywords. ajv's `const` and `enum` call
 * `valueOf` and compare `constructor` of the data, which a model's answer can hold as plain keys; its `uniqueItems` is
 * quadratic and blind to items that are called like members of `Object.prototype`; its `multipleOf` divides doubles.
 */
export function ownKeywords(budget: Budget): readonly FuncKeywordDefinition[] {
  const spend = (steps: number) => budget.spend(steps);
  const memberOf = (wanted: readonly unknown[]) => {
    const keys = new Set(wanted.map((value) => equalityKey(value)));
    const hasContainers = wanted.some((value) => typeof value === "object" && value !== null);
    return (value: unknown) =>
      (hasContainers || typeof value !== "object" || value === null) && keys.has(equalityKey(value, spend));
  };
  return [
    { keyword: "const", errors: false, compile: (wanted: unknown) => memberOf([wanted]) },
    { keyword: "enum", schemaType: "array", errors: false, compile: memberOf },
    {
      keyword: "uniqueItems",
      type: "array",
      schemaType: "boolean",
      errors: false,
      compile: (wanted: boolean) => (items: readonly unknown[]) =>
        !wanted || new Set(items.map((item) => equalityKey(item, spend))).size === items.length,
    },
    {
      keyword: "multipleOf",
      type: "number",
      schemaType: "number",
      errors: false,
      compile: (divisor: number) => (value: number) => {
        if (!Number.isSafeInteger(value) || !Number.isSafeInteger(divisor)) spend(STEPS_PER_DIVISION);
        return isMultipleOf(value, divisor);
      },
    },
  ];
}

/** With whole numbers of up to 600 digits in the worst case. */
const STEPS_PER_DIVISION = 8;
