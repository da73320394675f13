import type { RequestText } from "../request-text.ts";
import { quoteAnswer, quotesFor, summarySentences } from "../text/quote-answer.ts";
import { sentencesOf } from "../text/sentences.ts";
import { fieldWords } from "./field-names.ts";
import { columnsOf } from "./labels.ts";

const SUMMARY_SENTENCES = 2;

/** Fields that are texts about the whole, by the words of their names, and the sentences that fill them. */
const PROSE: readonly { readonly words: string; readonly write: (read: RequestText) => string }[] = [
  { words: "answer response reply", write: quoteAnswer },
  { words: "vendor", write: (read) => companyName(read.document) },
  { words: "title", write: (read) => sentencesOf(read.document)[0] ?? "" },
  {
    words: "summary overview abstract gist synopsis description body content text",
    write: (read) => summarySentences(read.document, SUMMARY_SENTENCES).join(" "),
  },
  {
    words: "reason rationale explanation justification evidence quote excerpt",
    write: (read) => quotesFor(read)[0]?.sentence ?? summarySentences(read.document, 1).join(" "),
  },
];

/** Finds a quoted text for a field by the words that tell what it is ("summary", "reason"). Each kind is written once. */
export function createProse(read: RequestText): (words: readonly string[]) => string | undefined {
  const written = new Map<string, string>();
  return (words) => {
    const kind = PROSE.find((prose) => fieldWords(prose.words).some((word) => words.includes(word)));
    if (!kind) return undefined;
    const text = written.get(kind.words) ?? kind.write(read);
    written.set(kind.words, text);
    return text || undefined;
  };
}

const COMPANY = /\b(?:AB|AG|AS|BV|Co|Corp|GmbH|Inc|KG|Limited|LLC|LLP|Ltd|Oy|PLC|Pty|SA|SARL|SE|SpA|Srl)\b\.?$/i;
const LETTERHEAD_LINES = 12;

/** The name in a letterhead: the first column near the top that ends like a company's name, else the first of all. */
function companyName(document: string): string {
  const columns = document.split(/\r\n?|\n/, LETTERHEAD_LINES).flatMap(columnsOf);
  return columns.find((column) => COMPANY.test(column)) ?? columns[0] ?? "";
}
