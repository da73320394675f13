/** The parser needs about 500 bytes of memory for each character, so that a long text is read in pieces of this size. */
const PIECE_UNITS = 64 * 1024;

/**
 * Where a Markdown text can be parted without a change of its blocks, at least `PIECE_UNITS` apart: at a line that
 * begins with a letter or # behind an empty line, outside of fenced code. No list, quote or indented code goes on there.
 * (A comment or <script> element that long may be parted; its rest is then read as text, never lost.)
 *
 * @returns the starts of all pieces, the first at `from`
 */
export function pieceStarts(text: string, from: number): number[] {
  const starts = [from];
  if (text.length - from <= PIECE_UNITS) return starts;
  let fence: string | undefined;
  let isBehindEmpty = false;
  let next = from + PIECE_UNITS;
  for (let start = from; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (start >= next && isBehindEmpty && fence === undefined && /[\p{L}#]/u.test(text.charAt(start))) {
      starts.push(start);
      next = start + PIECE_UNITS;
    }
    // Longer lines of fence characters count as one of this length.
    const line = text.slice(start, Math.min(end, start + 256));
    fence = fenceAfter(line, fence);
    isBehindEmpty = !/\S/.test(line) && end - start <= 256;
    start = end + 1;
  }
  return starts;
}

/** The open fence behind a line. Fences within lists and quotes do not matter: text at the margin ends them. */
function fenceAfter(line: string, open: string | undefined): string | undefined {
  const found = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
  if (!found) return open;
  const [, marks = "", rest = ""] = found;
  if (open === undefined) return marks.startsWith("`") && rest.includes("`") ? undefined : marks;
  return marks.startsWith(open) && rest.trim() === "" ? undefined : open;
}
