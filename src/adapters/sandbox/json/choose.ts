import type { RequestText } from "../request-text.ts";
import { once } from "../text/once.ts";
import { stem, termsOf, wordsOf } from "../text/words.ts";
import { hintsFor } from "./choice-hints.ts";

/** The word itself in the text counts more than words that only hint at it. */
const OWN_WORD_WEIGHT = 3;
const MAX_DEFINITION_CHARACTERS = 200;
const MAX_CHOICES = 64;

/** Choices for texts that fit no other, in this order. */
const WHEN_NOTHING_FITS = ["other", "unknown", "general", "none", "neutral", "normal", "medium"];

/** `found` is false where nothing in the text speaks for the value. */
export type Choose = (
  choices: readonly string[],
  description: string,
) => { readonly value: string | undefined; readonly found: boolean };

/**
 * Finds the choice that the text of a request speaks for: by the choice's own words, by the words with which the prompt
 * or the schema explains it ("billing: invoices, refunds"), and by words that commonly go with it.
 */
export function createChooser(read: RequestText): Choose {
  const occurrences = once(() => countWords(read.document));
  const explained = `${read.system}\n${read.instruction}\n`;
  return (choices, description) => {
    const counts = occurrences();
    let best = { value: WHEN_NOTHING_FITS.find((name) => choices.includes(name)) ?? choices[0], score: 0 };
    for (const choice of choices.slice(0, MAX_CHOICES)) {
      const own = termsOf(choice.replaceAll("_", " "));
      const definition = termsOf(definitionOf(choice, explained + description));
      const hints = new Set([...definition, ...hintsFor(choice).map(stem)].filter((term) => !own.includes(term)));
      const ownCount = own.reduce((sum, term) => sum + (counts.get(term) ?? 0), 0);
      const score = OWN_WORD_WEIGHT * ownCount + [...hints].filter((term) => counts.has(term)).length;
      if (score > best.score) best = { value: choice, score };
    }
    return { value: best.value, found: best.score > 0 };
  };
}

function countWords(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text).map(stem)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** What a prompt says a choice means: "choice: meaning", "choice - meaning" or "choice (meaning)". */
function definitionOf(choice: string, text: string): string {
  const lower = text.toLowerCase();
  const wanted = choice.toLowerCase();
  for (let at = lower.indexOf(wanted); at >= 0 && wanted !== ""; at = lower.indexOf(wanted, at + wanted.length)) {
    const after = text.slice(at + choice.length, at + choice.length + MAX_DEFINITION_CHARACTERS);
    const definition = /^[`"'*]{0,3}\s{0,3}[:=(–—-]\s?([^\n;)]+)/.exec(after)?.[1];
    if (definition && !/[\p{L}\p{N}_]/u.test(text[at - 1] ?? "")) return definition;
  }
  return "";
}
