import type { RequestText } from "../request-text.ts";
import { scoreTexts } from "./rank.ts";
import { LABELLED_LINE, sentencesOf } from "./sentences.ts";
import { termsOf } from "./words.ts";

const MAX_QUOTES = 3;
const SUMMARY_SENTENCES = 3;

/** A sentence this much weaker than the best one is no part of the answer. */
const WEAKEST_QUOTE = 0.5;

/** Words that a sentence needs to say something worth keeping in a summary. */
const MIN_SUMMARY_TERMS = 4;

const NOTHING_FOUND = "The context does not answer this.";
const NOTHING_TO_QUOTE = "There is nothing to quote: the sandbox answers only with sentences of its input.";

/** A quoted sentence and the chunk it is from. */
export interface Quote {
  readonly sentence: string;
  readonly chunkId: string;
}

/**
 * Answers in sentences of the input and nothing else: with context, the sentences that share the most with the
 * question, each with its `[id]`; without, the leading informative sentences of the document.
 */
export function quoteAnswer(read: RequestText): string {
  if (read.chunks.length > 0) {
    const quotes = quotesFor(read);
    return quotes.map(({ sentence, chunkId }) => `${sentence} [${chunkId}]`).join(" ") || NOTHING_FOUND;
  }
  return summarySentences(read.document, sentencesAsked(read)).join(" ") || NOTHING_TO_QUOTE;
}

/** "in at most 2 sentences" or "sentences: 2"; numbers in words are not read. */
function sentencesAsked(read: RequestText): number {
  const [, before, after] = /\b(\d{1,2}) sentence|\bsentences?: (\d{1,2})\b/.exec(read.instruction) ?? [];
  return Math.max(1, Number(before ?? after ?? SUMMARY_SENTENCES));
}

/** The sentences of the chunks that answer the request best, in the order of the chunks; at most 3. */
export function quotesFor(read: RequestText): readonly Quote[] {
  const all = read.chunks.flatMap((chunk) =>
    sentencesOf(chunk.text).map((sentence) => ({ sentence, chunkId: chunk.id })),
  );
  const scores = scoreTexts(
    all.map((quote) => quote.sentence),
    // A prompt may hold the question with nothing around it; then it was taken for the document.
    `${read.instruction}\n${isQuestion(read.document) ? read.document : ""}`,
  );
  const best = scores.reduce((highest, score) => Math.max(highest, score), 0);
  if (best === 0) return [];
  return all
    .map((quote, position) => ({ quote, position, score: scores[position] ?? 0 }))
    .filter(({ score }) => score >= best * WEAKEST_QUOTE)
    .sort((a, b) => b.score - a.score || a.position - b.position)
    .slice(0, MAX_QUOTES)
    .sort((a, b) => a.position - b.position)
    .map(({ quote }) => quote);
}

/** The sentences that say the most about the document as a whole, the earlier the better; in their order. */
export function summarySentences(document: string, count: number): readonly string[] {
  const sentences = sentencesOf(document);
  const informative = sentences.filter(
    (sentence) =>
      termsOf(sentence).length >= MIN_SUMMARY_TERMS && !sentence.endsWith(":") && !LABELLED_LINE.test(sentence),
  );
  const candidates = informative.length > 0 ? informative : sentences;
  const frequency = new Map<string, number>();
  for (const term of candidates.flatMap(termsOf)) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  const weight = (sentence: string, position: number) => {
    const terms = new Set(termsOf(sentence));
    let shared = 0;
    for (const term of terms) shared += (frequency.get(term) ?? 1) - 1;
    // The first sentences of a text usually say what it is about.
    return shared / Math.sqrt(terms.size + 1) / (1 + position * 0.15);
  };
  return candidates
    .map((sentence, position) => ({ sentence, position, weight: weight(sentence, position) }))
    .sort((a, b) => b.weight - a.weight || a.position - b.position)
    .slice(0, count)
    .sort((a, b) => a.position - b.position)
    .map(({ sentence }) => sentence);
}

function isQuestion(text: string): boolean {
  return text.length <= 1_000;
}
