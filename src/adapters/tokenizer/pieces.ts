/**
 * Byte-pair merging takes quadratic time in the length of one word: 50,000 times "a" holds the process for seconds.
 * A run this long is no word of any vocabulary, so that cutting it hardly changes the count.
 */
export const MAX_RUN_CHARACTERS = 256;

/**
 * Cuts a text so that no piece holds a run of more than `MAX_RUN_CHARACTERS` characters that are all white space or
 * all not. The pieces joined are the text; no surrogate pair is cut. Texts without such runs stay whole.
 */
export function* pieces(text: string): Generator<string> {
  let start = 0;
  let run = 0;
  let runIsSpace = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const space = isSpace(code);
    run = space === runIsSpace ? run + 1 : 1;
    runIsSpace = space;
    if (run <= MAX_RUN_CHARACTERS || isLowSurrogate(code)) continue;
    yield text.slice(start, i);
    start = i;
    run = 1;
  }
  if (start < text.length) yield text.slice(start);
}

/** White space as `\s` of regular expressions has it; the numbers are the Unicode space separators above ASCII. */
function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13);
  if (code < 0xa0) return false;
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
