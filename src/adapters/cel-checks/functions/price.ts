import { type CelValue, isCelList, isCelMap } from "@bufbuild/cel";
import type { Budget } from "../budget.ts";

/** Characters that are read in one step. */
const CHARACTERS_PER_STEP = 256;

/** Steps for reading so many characters once. */
export function readingSteps(characters: number): number {
  return 1 + Math.ceil(characters / CHARACTERS_PER_STEP);
}

/** Steps for a value that a function takes as it is: a long text is read, all else only passed on. */
export function passingSteps(value: CelValue): number {
  return typeof value === "string" || value instanceof Uint8Array ? Math.floor(value.length / CHARACTERS_PER_STEP) : 0;
}

/** Pays for comparing a value with another all the way down. */
export function payForComparing(budget: Budget, value: CelValue): void {
  budget.spend(1 + passingSteps(value));
  if (isCelList(value)) {
    for (const item of value) payForComparing(budget, item);
  } else if (isCelMap(value)) {
    for (const member of value.values()) payForComparing(budget, member);
  }
}
