/**
 * Lines end in \n, also those that ended in a Unicode line or paragraph separator. The mark at the beginning is dropped,
 * halves of characters become U+FFFD, and control characters become blanks: they mean nothing in a text, and Postgres
 * stores no NUL.
 */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replace(CONTROL_CHARACTERS, " ");
}

const CONTROL_CHARACTERS = /(?![\n\t])\p{Cc}/gu;

/** Whether there is a letter or a digit of any script in it. */
export function hasWords(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

/** One line without blanks at its ends, of at most `maxBytes` of UTF-8; cut at a character, never inside of one. */
export function singleLine(text: string, maxBytes: number): string {
  // Only to bound the work: a title with longer runs of blanks than this allows for is merely cut earlier.
  const line = text
    .slice(0, maxBytes * 4)
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  if (Buffer.byteLength(line) <= maxBytes) return line;
  const { read } = new TextEncoder().encodeInto(line, new Uint8Array(maxBytes));
  return line.slice(0, read).trim();
}
