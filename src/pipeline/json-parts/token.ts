import { Unreadable } from "../parse/cursor.ts";
import { readNumber } from "../parse/read-number.ts";

const PLAIN_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
/** Numbers up to this many characters and without an exponent neither overflow nor underflow. */
const MAX_PLAIN_CHARACTERS = 300;

/** Characters of numbers and literals, and of all that could be meant as one: ASCII letters, digits, `+`, `-`, `.`, `_`. */
export function isWordCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f
  );
}

/** Whether a word outside strings is a value of strict JSON that the reader of whole answers takes as it stands. */
export function isScalar(word: string): boolean {
  if (word === "true" || word === "false" || word === "null") return true;
  if (word.length <= MAX_PLAIN_CHARACTERS && PLAIN_NUMBER.test(word)) return true;
  const cursor = { text: word, at: 0, repairs: new Set<never>() };
  try {
    readNumber(cursor, "nearest");
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
  return cursor.at === word.length && cursor.repairs.size === 0;
}

/**
 * The string that a quoted text stands for.
 * @returns undefined where it is none of strict JSON, or holds half of a surrogate pair.
 */
export function decodeString(quoted: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(quoted);
  } catch {
    return undefined;
  }
  return typeof value === "string" && value.isWellFormed() ? value : undefined;
}
