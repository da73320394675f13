import { type CelFunc, CelScalar, celMethod } from "@bufbuild/cel";
import { LRUCache } from "lru-cache";
import { RE2JS } from "re2js";
import type { Budget } from "../budget.ts";
import { MAX_PATTERN_SIZE, patternSize } from "./pattern-size.ts";

/** Patterns are mostly literals of rules; the engine would compile them at every call. */
const MAX_COMPILED = 64;
const TOO_LARGE = `the pattern is too large: written out, it has more than ${MAX_PATTERN_SIZE} parts`;

/**
 * A pattern in RE2's syntax, as CEL has it.
 * @throws Error with a message that quotes nothing where it is none, or compiles to too much.
 */
export function compileRe2(pattern: string): RE2JS {
  // Before it is compiled: a few characters can ask for a million instructions.
  if (patternSize(pattern) > MAX_PATTERN_SIZE) throw new Error(TOO_LARGE);
  try {
    return RE2JS.compile(pattern);
  } catch {
    throw new Error("the pattern is not valid RE2");
  }
}

/** `text.matches(pattern)`: whether the pattern is found anywhere. */
export function matchesFunction(budget: Budget): CelFunc {
  const compiled = new LRUCache<string, RE2JS>({ max: MAX_COMPILED });
  const { BOOL, STRING } = CelScalar;
  return celMethod("matches", STRING, [STRING], BOOL, function (this: string, pattern: string) {
    let matcher = compiled.get(pattern);
    if (!matcher) {
      // Measured: up to 2.5 ms for the largest that are allowed.
      budget.spend(200 + patternSize(pattern) * 10);
      matcher = compileRe2(pattern);
      compiled.set(pattern, matcher);
    }
    budget.spend(2 + Math.ceil((this.length * (1 + matcher.programSize() / 16)) / 8));
    return matcher.test(this);
  });
}
