import { RE2JS } from "re2js";
import type { Budget } from "./budget.ts";
import { PatternError, toRe2 } from "./ecma-pattern.ts";
import { isPlainPattern } from "./plain-pattern.ts";

/** Longer texts are left to the linear engine, whatever the pattern. */
const MAX_PLAIN_CHARACTERS = 16_384;

/**
 * Compiles a pattern of JSON Schema for an engine whose time is linear in the text, whatever the pattern.
 * @throws PatternError
 */
export function compilePattern(pattern: string): RE2JS {
  const re2 = toRe2(pattern);
  try {
    return RE2JS.compile(re2);
  } catch {
    throw new PatternError("needs more than a linear-time engine can do (a count above 1000, or an unknown property)");
  }
}

/**
 * What ajv takes in place of `RegExp`. ajv keeps patterns by their `toString()`, which RE2JS does not give: without one
 * of our own every pattern of a schema would silently become the first.
 */
export function patternEngine(budget: Budget) {
  const engine = (pattern: string, flags: string) => {
    const compiled = compilePattern(pattern);
    // V8's own engine is several times faster, and safe where the pattern is plain.
    const plain = isPlainPattern(pattern) ? new RegExp(pattern, "u") : undefined;
    const weight = 1 + pattern.length / 64;
    return {
      test(text: string): boolean {
        budget.spend(10 + Math.ceil((text.length * weight) / 4));
        return (text.length <= MAX_PLAIN_CHARACTERS && plain ? plain : compiled).test(text);
      },
      toString: () => `/${pattern}/${flags}`,
    };
  };
  // ajv writes this into the source of standalone validators only, which are never made here.
  return Object.assign(engine, { code: "patternEngine" });
}
