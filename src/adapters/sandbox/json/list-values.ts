import type { RequestText } from "../request-text.ts";
import { once } from "../text/once.ts";
import { quotesFor, summarySentences } from "../text/quote-answer.ts";
import { termsOf, wordsOf } from "../text/words.ts";
import { fieldWords, labelScore } from "./field-names.ts";
import type { Row } from "./rows.ts";

const SOURCE_WORDS = fieldWords("sources citations references chunks ids evidence");
const POINT_WORDS = fieldWords("points highlights takeaways facts bullets findings sentences");
const KEYWORD_WORDS = fieldWords("keywords tags topics labels terms");
const MAX_KEYWORDS = 5;
const MAX_POINTS = 3;
const MAX_LINES = 2_000;
const MIN_LABEL_SCORE = 2;

export interface Lists {
  /** The texts of a list that the field's name asks for: sources, points, keywords, or the list below a heading of that name. */
  texts(name: string): readonly string[];
  /** Quotes as rows, for a list of objects that names its sources: ids and sentences by the names of the fields. */
  quoteRows(name: string, fields: readonly string[]): readonly Row[];
}

/** The lists that a request's texts hold. Each kind is worked out once. */
export function createLists(read: RequestText): Lists {
  const quotes = once(() => quotesFor(read));
  const points = once(() => summarySentences(read.document, MAX_POINTS));
  const keywords = once(() => frequentWords(read.document));
  const lines = once(() => documentLines(read.document));
  return {
    texts(name) {
      const words = fieldWords(name);
      const names = (kind: readonly string[]) => kind.some((word) => words.includes(word));
      if (names(SOURCE_WORDS) && read.chunks.length > 0) return [...new Set(quotes().map((quote) => quote.chunkId))];
      const listed = listBelow(words, lines());
      if (listed.length > 0) return listed;
      if (names(POINT_WORDS)) return points();
      return names(KEYWORD_WORDS) ? keywords() : [];
    },
    quoteRows(name, fields) {
      if (!fieldWords(name).some((word) => SOURCE_WORDS.includes(word))) return [];
      return quotes().map(({ sentence, chunkId }) =>
        Object.fromEntries(fields.map((field) => [field, namesAnId(field) ? chunkId : sentence])),
      );
    },
  };
}

function namesAnId(field: string): boolean {
  return fieldWords(field).some((word) => SOURCE_WORDS.includes(word) || fieldWords("id").includes(word));
}

interface Line {
  readonly text: string;
  /** The words before its colon, or all of a short line without one. */
  readonly heading: readonly string[];
}

function documentLines(document: string): readonly Line[] {
  return document.split(/\r\n?|\n/, MAX_LINES).map((line) => {
    const text = line.trim();
    return { text, heading: fieldWords(headingOf(text)) };
  });
}

/** The items of the list below a heading, or after a label on one line divided by commas. */
function listBelow(words: readonly string[], lines: readonly Line[]): readonly string[] {
  const at = lines.findIndex(({ heading }) => labelScore(heading, words, []) >= MIN_LABEL_SCORE);
  if (at < 0) return [];
  const label = lines[at]?.text ?? "";
  const rest = label.includes(":") ? label.slice(label.indexOf(":") + 1).trim() : "";
  if (rest) {
    return rest
      .split(/[,;]/)
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }
  const items: string[] = [];
  for (const { text } of lines.slice(at + 1)) {
    const item = /^(?:[-*•]|\d{1,3}[.)])\s+(.+)$/.exec(text)?.[1];
    if (item === undefined) break;
    items.push(item);
  }
  return items;
}

function headingOf(line: string): string {
  return /^(?:#{1,6}\s+)?([^:]{1,60})(?::|$)/.exec(line)?.[1] ?? "";
}

function frequentWords(document: string): readonly string[] {
  const counts = new Map<string, number>();
  for (const word of wordsOf(document)) {
    if (word.length > 3 && termsOf(word).length > 0) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, MAX_KEYWORDS)
    .map(([word]) => word);
}
