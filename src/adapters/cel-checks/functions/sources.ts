import { type CelFunc, type CelList, CelScalar, celFunc, celMethod, listType } from "@bufbuild/cel";
import type { Evaluation } from "../evaluation.ts";
import { containsText } from "../text-search.ts";
import { readingSteps } from "./price.ts";

const { BOOL, DYN, STRING } = CelScalar;

const BRACKETED = /\[([^[\]\s]{1,256})\]/g;

/**
 * `cited(id)` and `cited(list)`: chunks of these ids were shown to the model. `quoted(text)` and `quoted(list)`: the
 * text occurs in a chunk or in a text of the input, white space and kinds of quotation marks aside. An empty list holds.
 * `known_citations(text)`: whatever the text names in the form `[id]`, without blanks, is the id of such a chunk.
 */
export function sourceFunctions(evaluation: Evaluation): CelFunc[] {
  const { budget } = evaluation;
  const isCited = (id: string) => {
    budget.spend(readingSteps(id.length));
    return evaluation.chunkIds.has(id);
  };
  const isQuoted = (quote: string) => {
    const { sources } = evaluation;
    budget.spend(searchSteps(sources.length, quote.length));
    return sources.contain(quote);
  };
  return [
    celFunc("cited", [STRING], BOOL, isCited),
    celFunc("cited", [listType(DYN)], BOOL, (ids) => every(ids, "cited", isCited)),
    celFunc("known_citations", [STRING], BOOL, (text) => {
      budget.spend(readingSteps(text.length));
      for (const [, id = ""] of text.matchAll(BRACKETED)) if (!evaluation.chunkIds.has(id)) return false;
      return true;
    }),
    celFunc("quoted", [STRING], BOOL, isQuoted),
    celFunc("quoted", [listType(DYN)], BOOL, (quotes) => every(quotes, "quoted", isQuoted)),
  ];
}

function every(list: CelList, name: string, holds: (text: string) => boolean): boolean {
  for (const item of list) {
    if (typeof item !== "string") throw new Error(`${name} takes texts only`);
    if (!holds(item)) return false;
  }
  return true;
}

/** `text.contains(part)` in linear time. */
export function containsFunction({ budget }: Evaluation): CelFunc {
  return celMethod("contains", STRING, [STRING], BOOL, function (this: string, part: string) {
    budget.spend(searchSteps(this.length, part.length));
    return containsText(this, part);
  });
}

/** Searches for longer texts go by single characters, at a few nanoseconds each. */
function searchSteps(text: number, part: number): number {
  return part > 64 ? 2 + Math.ceil((text + part) / 64) : readingSteps(text + part);
}
