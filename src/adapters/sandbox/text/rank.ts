import { termsOf } from "./words.ts";

/** The usual constants of BM25 (Robertson and Zaragoza 2009): how soon repeats saturate, how much length counts. */
const K1 = 1.2;
const B = 0.75;

/** The BM25 score of each text against a query, in the order of the texts. 0: no word in common. */
export function scoreTexts(texts: readonly string[], query: string): readonly number[] {
  const documents = texts.map(termsOf);
  const wanted = new Set(termsOf(query));
  const meanLength = documents.reduce((sum, terms) => sum + terms.length, 0) / Math.max(1, documents.length);
  const frequency = new Map<string, number>();
  for (const terms of documents) {
    for (const term of new Set(terms)) if (wanted.has(term)) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  }
  return documents.map((terms) => {
    const occurrences = new Map<string, number>();
    for (const term of terms) if (wanted.has(term)) occurrences.set(term, (occurrences.get(term) ?? 0) + 1);
    let score = 0;
    for (const [term, count] of occurrences) {
      const rarity = Math.log(
        1 + (texts.length - (frequency.get(term) ?? 0) + 0.5) / ((frequency.get(term) ?? 0) + 0.5),
      );
      score += (rarity * count * (K1 + 1)) / (count + K1 * (1 - B + (B * terms.length) / Math.max(1, meanLength)));
    }
    return score;
  });
}
