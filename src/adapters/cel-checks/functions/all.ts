import type { CelFunc } from "@bufbuild/cel";
import type { Evaluation } from "../evaluation.ts";
import { payingForFailures, payingForMismatches } from "./failures.ts";
import { loopFunctions } from "./loops.ts";
import { decimalFunctions, mixedArithmetic } from "./numbers.ts";
import { matchesFunction } from "./patterns.ts";
import { containsFunction, sourceFunctions } from "./sources.ts";
import { standardFunctions, textSize } from "./standard.ts";
import { timeFunctions } from "./times.ts";

/** Every function that a rule can call. Later ones replace earlier ones of the same name and parameters. */
export function checkFunctions(evaluation: Evaluation): CelFunc[] {
  const { budget } = evaluation;
  const functions = [
    ...standardFunctions(budget),
    ...textSize(budget),
    ...mixedArithmetic(budget),
    ...decimalFunctions(budget),
    ...timeFunctions(evaluation),
    matchesFunction(budget),
    containsFunction(evaluation),
    ...sourceFunctions(evaluation),
    ...loopFunctions(budget),
  ];
  return functions.map((func) => payingForFailures(func, budget));
}

/** What must stand behind those functions for a rule to pay for calls that no overload fits. */
export function mismatches(functions: readonly CelFunc[], { budget }: Evaluation): CelFunc[] {
  return [...new Set(functions.map(({ name }) => name))].map((name) => payingForMismatches(name, budget));
}
