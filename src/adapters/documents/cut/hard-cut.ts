import { unitWeight } from "./weight.ts";

const words = new Intl.Segmenter("en", { granularity: "word" });
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** How far back a better place is looked for. */
const LOOK_BACK_UNITS = 128;

/**
 * Where to cut a run without blanks so that what lies before has at most `maxWeight`: at a word as dictionaries know them
 * (Thai, Chinese), else between two characters as readers know them (never between a letter and its accents, where those
 * are not endless), else between two code points. Always behind `start`.
 */
export function hardCut(text: string, start: number, end: number, maxWeight: number): number {
  let limit = start;
  let weight = 0;
  while (limit < end) {
    weight += unitWeight(text.charCodeAt(limit));
    if (weight > maxWeight && limit > start) break;
    limit++;
  }
  if (limit === end) return end;
  const windowStart = Math.max(start, limit - LOOK_BACK_UNITS);
  const window = text.slice(windowStart, Math.min(end, limit + LOOK_BACK_UNITS));
  const word = words.segment(window).containing(limit - windowStart)?.index ?? 0;
  if (word > 0) return windowStart + word;
  const grapheme = graphemes.segment(window).containing(limit - windowStart)?.index ?? 0;
  if (grapheme > 0) return windowStart + grapheme;
  return codePointBoundary(text, start, limit);
}

function codePointBoundary(text: string, start: number, limit: number): number {
  const unit = text.charCodeAt(limit);
  if (unit < 0xdc00 || unit >= 0xe000) return limit;
  return limit - 1 > start ? limit - 1 : limit + 1;
}
