/** Words of a shingle: long enough that two texts about the same share few of them by chance. */
const SHINGLE_WORDS = 5;
/** A text of whose shingles a better one holds this share says nothing new. */
const NEARLY_ALL = 0.85;

/** Texts parted into those that say something of their own, and those that nearly repeat an earlier one. */
export function distinct<T extends { readonly text: string }>(
  texts: readonly T[],
): { readonly kept: readonly T[]; readonly duplicates: readonly T[] } {
  const kept: T[] = [];
  const duplicates: T[] = [];
  const known: ReadonlySet<string>[] = [];
  for (const item of texts) {
    const shingles = shinglesOf(item.text);
    if (known.some((earlier) => repeats(shingles, earlier))) {
      duplicates.push(item);
      continue;
    }
    known.push(shingles);
    kept.push(item);
  }
  return { kept, duplicates };
}

function repeats(shingles: ReadonlySet<string>, earlier: ReadonlySet<string>): boolean {
  let shared = 0;
  for (const shingle of shingles) if (earlier.has(shingle)) shared += 1;
  return shared >= NEARLY_ALL * shingles.size;
}

/**
 * Rows of words, case and punctuation aside; of a text with fewer words than a row, all of them. Scripts without blanks
 * are taken character by character, so that the same rule holds for them.
 */
function shinglesOf(text: string): ReadonlySet<string> {
  const words = text
    .toLowerCase()
    .match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+/gu) ?? [text];
  const shingles = new Set<string>();
  for (let at = 0; at + SHINGLE_WORDS <= words.length; at += 1)
    shingles.add(words.slice(at, at + SHINGLE_WORDS).join(" "));
  if (shingles.size === 0) shingles.add(words.join(" "));
  return shingles;
}
