/** Words that carry no meaning of their own in a question or a label. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about all am an and any are as at be been before but by can could did do does for from had has have how i if in into
  is it its may me must my no not of on or our please shall should so than that the their them then there these they
  this those to too under up us use using was we were what when where which who whom whose why will with would you
  your answer context document question text following given based below above der die das und ist ein eine`.split(
    /\s+/,
  ),
);

/** Lower-case words of letters and digits, in order. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** Words that mean something, cut to their stems so that "charged" finds "charges". */
export function termsOf(text: string): string[] {
  return wordsOf(text)
    .filter((word) => !STOP_WORDS.has(word))
    .map(stem);
}

/** A rough English stem: enough to match a word with its plural, its past and its -ing form. */
export function stem(word: string): string {
  if (word.length <= 3) return word;
  const base = word
    .replace(/ies$/, "y")
    .replace(/(?:ing|edly|ed|ly)$/, (end) => (word.length - end.length >= 3 ? "" : end))
    .replace(/(?<=[^s])s$/, "")
    .replace(/e$/, "");
  return base.replace(/([bdfgklmnprt])\1$/, "$1");
}
