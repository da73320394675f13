import { isQuote } from "./read-string.ts";

/** What an opening bracket between words is: the beginning of JSON, good or bad, or a sign of the prose. */
export type OpenerKind = "json" | "prose";

/** As far as the look ahead goes; it must be bounded, since every bracket of a text may ask for it. */
const LOOK_AHEAD = 160;
const OBJECT_START = /^\{[\s\p{Cf}\p{Z}]*(?:[}\\`,]|\{|\/[/*]|#|[\p{L}\p{N}_$]+\s*:)/u;
const LIST_START = /^\[[\s\p{Cf}\p{Z}]*(?:[\]\\`,[{]|\/[/*]|[-+.]?\d|(?:true|false|null|True|False|None)\s*[,\]])/u;
const CHECKBOX = /^\[ \] \S/;

/** What the bracket at an offset opens. */
export function openerKind(text: string, at: number): OpenerKind {
  const head = text.slice(at, at + LOOK_AHEAD);
  const before = text.charAt(at - 1);
  const first = head
    .slice(1)
    .replace(/^[\s\p{Cf}\p{Z}]+/u, "")
    .charAt(0);
  if (head.startsWith("{")) {
    if (before === "$") return "prose";
    return first === "" || isQuote(first) || OBJECT_START.test(head) ? "json" : "prose";
  }
  if (/[\p{L}\p{N}_)\]]/u.test(before)) return "prose";
  if (CHECKBOX.test(head)) return "prose";
  return first === "" || isQuote(first) || LIST_START.test(head) ? "json" : "prose";
}

const PLACEHOLDER = /\{[^{}[\]"\u201c\u201d:]{0,120}\}|\[[^{}[\]"\u201c\u201d]{0,120}\]/y;
const SHORT_LIST = /\[[^{}[\]"'\u201c\u201d\u2018\u2019\n]{0,120}\]/y;

/** The offset after a short bracket without anything in it that could be a value, such as `{name}` or `[see below]`. */
export function placeholderEnd(text: string, at: number): number | undefined {
  return endOf(PLACEHOLDER, text, at);
}

/** The offset after a short bracket like `[12:30]` or `[1-3]`, which begins like a list of numbers and is none. */
export function shortListEnd(text: string, at: number): number | undefined {
  return endOf(SHORT_LIST, text, at);
}

const PLAIN_ITEM = /^\s*(?:\w*|[-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$/;

/**
 * Whether a short bracket is surely no list, such as `[12:30]`: it holds what is neither a number nor a word, and no
 * comment that could hide its end. Told without an attempt to read it, since a log has one in every line.
 */
export function isOddList(text: string): boolean {
  if (/[#/]/.test(text)) return false;
  return text
    .slice(1, -1)
    .split(",")
    .some((item) => !PLAIN_ITEM.test(item.replace(/[\p{Cf}\p{Z}]/gu, " ")));
}

/** Whether what follows a list makes it a link, a reference or an index: `[1](…)`, `[1]: …`. */
export function isLink(text: string, end: number): boolean {
  return text.charAt(end) === "(" || text.charAt(end) === ":";
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
