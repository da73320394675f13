/**
 * Joins words that were parted at the end of a line, where that is safe: at a soft hyphen, which exists for nothing
 * else; or where the document itself has the word elsewhere, in one piece ("exam-/ple" and "example") or with its hyphen ("well-/known"
 * and "well-known"). Otherwise nobody can tell the two apart, and the text stays as it was printed.
 */
export function mendHyphens(text: string): string {
  const softened = text.replace(/(\p{L})\u00AD\n(?=\p{L})/gu, "$1").replaceAll("\u00AD", "");
  const known = new Set<string>();
  // Words within a line only: the halves at its ends are what is asked about.
  for (const [word] of softened.matchAll(/[\p{L}\p{M}]+(?:[-\u2010][\p{L}\p{M}]+)*/gu)) known.add(word.toLowerCase());
  return softened.replace(PARTED, (all, before: string, hyphen: string, after: string) => {
    const [first, second] = [before.toLowerCase(), after.toLowerCase()];
    if (known.has(first + second)) return before + after;
    if (known.has(`${first}${hyphen}${second}`)) return before + hyphen + after;
    return all;
  });
}

/** A part of a word that begins anew at each hyphen, a hyphen at the end of a line, and a part that begins small. */
const PARTED = /(?<![\p{L}\p{M}])(\p{L}[\p{L}\p{M}]{0,63})([-\u2010])\n(\p{Ll}[\p{L}\p{M}]{0,63})(?![\p{L}\p{M}])/gu;
