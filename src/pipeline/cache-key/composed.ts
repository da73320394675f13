/** Texts without any of these are composed already, whatever they hold. Most are, and are told in no time. */
const MAY_COMPOSE = /[\u0300-\uffff]/;

/**
 * Characters that Unicode holds to be another single one: Å (U+212B) and the letter Å, Ω (U+2126) and the letter, the
 * compatibility ideographs. Writers chose one of the two, and no way leads back from the other.
 */
const SINGLETONS =
  /([\u0340\u0341\u0343\u0374\u037e\u0387\u1f71\u1f73\u1f75\u1f77\u1f79\u1f7b\u1f7d\u1fbb\u1fbe\u1fc9\u1fcb\u1fd3\u1fdb\u1fe3\u1feb\u1fee\u1fef\u1ff9\u1ffb\u1ffd\u2000\u2001\u2126\u212a\u212b\u2329\u232a\uf900-\ufad9\u{2f800}-\u{2fa1d}]+)/u;

/**
 * A text in the one spelling that all its spellings with letters and combining marks have: Unicode NFC, except that
 * characters which stand for another single one stay what they are. A text with 32 combining marks in a row, which no
 * language has, comes back as it is: putting marks in order takes time that grows with the square of their number.
 * Linear.
 */
export function composed(text: string): string {
  if (!MAY_COMPOSE.test(text) || hasLongRunOfMarks(text)) return text;
  const nfc = text.normalize("NFC");
  if (nfc === text) return text;
  const pieces = text.split(SINGLETONS);
  // Every second piece is what was split at.
  return pieces.length === 1
    ? nfc
    : pieces.map((piece, index) => (index % 2 ? piece : piece.normalize("NFC"))).join("");
}

const LONG = 32;

/** In a row as long as this one mark stands at a multiple of it, and only those are looked at. */
function hasLongRunOfMarks(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isMark(text, at)) continue;
    let start = at;
    while (start > 0 && isMark(text, start - 1)) start -= 1;
    let end = at + 1;
    while (end - start < LONG && isMark(text, end)) end += 1;
    if (end - start >= LONG) return true;
  }
  return false;
}

/** Of each UTF-16 unit: 0 not known yet, 1 no mark, 2 a mark. */
const known = new Uint8Array(0x1_0000);

function isMark(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x300 || Number.isNaN(code)) return false;
  const isSecondHalf = code >= 0xdc00 && code <= 0xdfff;
  if (isSecondHalf || (code >= 0xd800 && code <= 0xdbff)) {
    return /^\p{M}/u.test(String.fromCodePoint(text.codePointAt(isSecondHalf ? at - 1 : at) ?? 0));
  }
  known[code] ||= /\p{M}/u.test(text.charAt(at)) ? 2 : 1;
  return known[code] === 2;
}
