import { type Cursor, refuse, Unreadable } from "./cursor.ts";

/** The quote that ends a string, by the one that begins it. */
const CLOSERS: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\u201c": "\u201d",
  "\u201d": "\u201d",
  "\u201e": "\u201c",
  "\u2018": "\u2019",
  "\u2019": "\u2019",
  "\u201a": "\u2018",
};

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** A quote that could be the end of the string, with what could follow it: then the string has two readings. */
const SWALLOWED_MEMBER = /["'\u2018-\u201f]\s*(?:,\s*["'\u2018-\u201f]|:)/;

/** A string, and whether its source is already a JSON string. */
export interface ReadString {
  readonly value: string;
  readonly isStrict: boolean;
}

export function isQuote(character: string): boolean {
  return Object.hasOwn(CLOSERS, character);
}

/**
 * Reads a string in double, single or typographic quotes. It ends at the first closing quote that is not escaped: a
 * quote inside, unescaped, leaves a rest that does not read, and so rejects the value instead of guessing.
 * @throws Unreadable for bad escapes, NUL, lone surrogates, and where the text ends first.
 */
export function readString(cursor: Cursor): ReadString {
  const { text } = cursor;
  const start = cursor.at;
  const opener = text.charAt(start);
  const closer = CLOSERS[opener] ?? opener;
  const closerCode = closer.charCodeAt(0);
  let isStrict = opener === '"';
  let value = "";
  let copied = start + 1;
  let at = start + 1;
  for (; ; at += 1) {
    if (at >= text.length) throw new Unreadable(at, "the end of the string", true);
    const code = text.charCodeAt(at);
    if (code === closerCode) break;
    if (code === 0x5c) {
      value += text.slice(copied, at);
      cursor.at = at;
      const [character, isJson] = readEscape(cursor);
      value += character;
      isStrict &&= isJson;
      at = cursor.at - 1;
      copied = cursor.at;
    } else if (code < 0x20) {
      cursor.at = at;
      refuseNul(cursor, code);
      isStrict = false;
    }
  }
  value += text.slice(copied, at);
  if (opener !== '"' && SWALLOWED_MEMBER.test(value)) {
    throw new Unreadable(start, "a string that ends with the kind of quote that it begins with");
  }
  cursor.at = at + 1;
  if (!value.isWellFormed()) throw new Unreadable(start, "whole characters, not half of a surrogate pair");
  if (opener === "'") cursor.repairs.add("single_quotes");
  else if (opener !== '"') cursor.repairs.add("typographic_quotes");
  return { value, isStrict };
}

function refuseNul(cursor: Cursor, code: number): void {
  if (code === 0) throw new Unreadable(cursor.at, "a string without NUL");
  cursor.repairs.add("control_characters");
}

/** The character that an escape stands for, and whether JSON has the escape. */
function readEscape(cursor: Cursor): readonly [character: string, isJson: boolean] {
  const { text, at } = cursor;
  const kind = text.charAt(at + 1);
  const simple = Object.hasOwn(ESCAPES, kind) ? ESCAPES[kind] : undefined;
  cursor.at = at + 2;
  if (simple !== undefined) return [simple, true];
  if (kind === "'") {
    cursor.repairs.add("escaped_apostrophe");
    return ["'", false];
  }
  const digits = text.slice(at + 2, at + 6);
  if (kind === "u" && /^[0-9a-fA-F]{4}$/.test(digits)) {
    cursor.at = at + 6;
    return [String.fromCharCode(Number.parseInt(digits, 16)), true];
  }
  cursor.at = at + 6 > text.length && /^u?[0-9a-fA-F]*$/.test(kind + digits) ? text.length : at;
  return refuse(cursor, "an escape that JSON knows");
}
