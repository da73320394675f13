import type { Ajv2020, FuncKeywordDefinition } from "ajv/dist/2020.js";
import type { Budget } from "./budget.ts";
import { equalityKey } from "./equality.ts";
import { COST_KEYWORD } from "./lower.ts";
import { isMultipleOf } from "./multiple-of.ts";

/**
 * Puts our own reading in place of four keywords, and adds the one that counts work. ajv's `const` and `enum` call
 * `valueOf` and compare `constructor` of the data, which a model's answer can hold as plain keys; its `uniqueItems` is
 * quadratic and blind to items that are called like members of `Object.prototype`; its `multipleOf` divides doubles.
 */
export function installOwnKeywords(ajv: Ajv2020, budget: Budget): void {
  for (const definition of ownKeywords) {
    ajv.removeKeyword(String(definition.keyword));
    ajv.addKeyword(definition);
  }
  ajv.addKeyword({
    keyword: COST_KEYWORD,
    schemaType: "number",
    errors: false,
    compile: (cost: number) => () => {
      budget.spend(cost);
      return true;
    },
  });
}

const ownKeywords: readonly FuncKeywordDefinition[] = [
  { keyword: "const", errors: false, compile: (wanted: unknown) => memberOf([wanted]) },
  { keyword: "enum", schemaType: "array", errors: false, compile: memberOf },
  {
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    errors: false,
    compile: (wanted: boolean) => (items: readonly unknown[]) =>
      !wanted || new Set(items.map(equalityKey)).size === items.length,
  },
  {
    keyword: "multipleOf",
    type: "number",
    schemaType: "number",
    errors: false,
    compile: (divisor: number) => (value: number) => isMultipleOf(value, divisor),
  },
];

function memberOf(wanted: readonly unknown[]): (value: unknown) => boolean {
  const keys = new Set(wanted.map(equalityKey));
  const hasContainers = wanted.some((value) => typeof value === "object" && value !== null);
  return (value) => (hasContainers || typeof value !== "object" || value === null) && keys.has(equalityKey(value));
}
