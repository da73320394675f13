import { type Cursor, refuse, Unreadable } from "./cursor.ts";

/**
 * Characters that show nothing, or only space, and mean nothing between the tokens of JSON: no-break and typographic
 * spaces, zero-width and direction marks, the soft hyphen, line and paragraph separators, the byte order mark.
 */
const INVISIBLE = /[\v\f\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u2069\u3000\ufeff]/;

/** A comment that says that something was left out: then the value is not whole. */
const LEFT_OUT =
  /\.\.\.|…|\b(?:omitted|truncated|elided|abbreviated|skipped|remaining|rest of|the rest|and so on|etc|continued?|more \w+)\b/i;

/** A comment that is nothing but a value: it could be meant in place of the one beside it, or as a part of it (`7 // 2`). */
const OTHER_VALUE =
  /^(?:[-+]?[\d.][\d.,_]*(?:[eE][-+]?\d+)?%?|"[^"]*"|'[^']*'|`[^`]*`|\u201c[^\u201d]*\u201d|true|false|null|none),?$/i;
/** How such a comment begins; most do not. */
const OTHER_VALUE_START = /^[/*#!=-]+\s*(?:or\b|[-+.\d"'`\u201c]|true|false|null|none)/i;
const MAX_OTHER_VALUE = 200;

/** Moves over white space and, with a repair, over invisible characters. */
export function skipSpace(cursor: Cursor): void {
  const { text } = cursor;
  for (; cursor.at < text.length; cursor.at += 1) {
    const code = text.charCodeAt(cursor.at);
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) continue;
    if ((code < 0x80 && code !== 0x0b && code !== 0x0c) || !INVISIBLE.test(text.charAt(cursor.at))) return;
    cursor.repairs.add("invisible_characters");
  }
}

/**
 * Where a comment is looked for. "value": between a key and its value, where `#tag` or `//host/share` may be the value
 * itself, so that only block comments count. "touching": right behind a token after which no value can follow, so that
 * a `#` may touch it and the remark.
 */
export type CommentPlace = "value" | "apart" | "touching";

/**
 * Moves over white space and, with a repair, over comments.
 * @throws Unreadable for a comment without an end, and one that says that data was left out or holds another value.
 */
export function skipTrivia(cursor: Cursor, place: CommentPlace = "apart"): void {
  const start = cursor.at;
  for (;;) {
    skipSpace(cursor);
    const end = commentEnd(cursor, cursor.at > start && place === "touching" ? "apart" : place);
    if (end === undefined) return;
    refuseTellingComment(cursor, cursor.text.slice(cursor.at, end));
    cursor.repairs.add("comments");
    cursor.at = end;
  }
}

function refuseTellingComment(cursor: Cursor, comment: string): void {
  if (LEFT_OUT.test(comment)) {
    throw new Unreadable(cursor.at, "a whole value, without a comment that says that something was left out");
  }
  if (!OTHER_VALUE_START.test(comment)) return;
  const words = comment
    .slice(0, MAX_OTHER_VALUE)
    .replace(/\*\/$/, "")
    .replace(/^[/*#!=-]+/, "")
    .trim();
  if (/^or\b/i.test(words) || (comment.length <= MAX_OTHER_VALUE && OTHER_VALUE.test(words))) {
    throw new Unreadable(cursor.at, "one value, without a comment that holds another");
  }
}

/** A remark that is surely no key, value or member. */
const PLAIN_REMARK = /#[^\d"'`\u201c\u2018,:={}[\]\n][^"'`\u201c\u2018,:={}[\]\n]{0,200}\n/y;

function commentEnd({ text, at }: Cursor, place: CommentPlace): number | undefined {
  const first = text.charCodeAt(at);
  if (first !== 0x2f && first !== 0x23) return undefined;
  const isHash = first === 0x23;
  if (!isHash && text.charAt(at + 1) === "*") {
    const end = text.indexOf("*/", at + 2);
    if (end < 0) throw new Unreadable(text.length, "the end of the comment", true);
    return end + 2;
  }
  // Without the space "#urgent" in a list could as well be a value without its quotes.
  PLAIN_REMARK.lastIndex = at;
  const opens = isHash
    ? /^#(?:[\s#!=*-]|$)/.test(text.slice(at, at + 2)) || (place === "touching" && PLAIN_REMARK.test(text))
    : text.charAt(at + 1) === "/";
  if (!opens || place === "value") return undefined;
  const lineEnd = text.indexOf("\n", at);
  return lineEnd < 0 ? text.length : lineEnd + 1;
}

const OPERAND = /(?:#|\/[/*]?)[-+.(]{0,8}\d/y;

/** Fails where digits follow: `7//2`, `7/2` and `5#1` may be sums or names rather than a value and a remark. */
export function refuseOperand(cursor: Cursor): void {
  OPERAND.lastIndex = cursor.at;
  if (OPERAND.test(cursor.text)) refuse(cursor, "a comma or a closing bracket after the number");
}
