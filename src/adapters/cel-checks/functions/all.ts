import type { CelFunc } from "@bufbuild/cel";
import type { Evaluation } from "../evaluation.ts";
import { loopFunctions } from "./loops.ts";
import { decimalFunctions, mixedArithmetic } from "./numbers.ts";
import { matchesFunction } from "./patterns.ts";
import { containsFunction, sourceFunctions } from "./sources.ts";
import { standardFunctions, textSize } from "./standard.ts";

/** Every function that a rule can call. Later ones replace earlier ones of the same name and parameters. */
export function checkFunctions(evaluation: Evaluation): CelFunc[] {
  const { budget } = evaluation;
  return [
    ...standardFunctions(budget),
    ...textSize(budget),
    ...mixedArithmetic(budget),
    ...decimalFunctions(budget),
    matchesFunction(budget),
    containsFunction(evaluation),
    ...sourceFunctions(evaluation),
    ...loopFunctions(budget),
  ];
}
