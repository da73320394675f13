/** About four tokens: a replayed stream looks like a live one, without a message for every word. */
const PIECE_CHARACTERS = 16;

/** Cuts a text into pieces for a stream, never inside a character. */
export function* inPieces(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + PIECE_CHARACTERS, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end += 1;
    yield text.slice(start, end);
    start = end;
  }
}
