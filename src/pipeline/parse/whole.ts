import { Unreadable } from "./cursor.ts";
import { readString } from "./read-string.ts";
import { type ReadValue, readValue } from "./read-value.ts";
import type { Repair } from "./repair.ts";
import { readStrict } from "./strict-json.ts";
import { skipSpace } from "./trivia.ts";

/** How any value begins, repairs included: most texts that are none can be told by it. */
const VALUE_START = /^[\s\p{Cf}\p{Z}]*(?:[[{"'\u2018\u2019\u201a\u201c-\u201e\d.+-]|true|false|null|True|False|None)/u;

/**
 * Reads a text that is one value and nothing else but space around it.
 * @returns undefined where it is not: then the value may still lie somewhere inside.
 */
export function readWhole(text: string): ReadValue | undefined {
  if (!VALUE_START.test(text)) return undefined;
  const strict = readStrict(text);
  if (strict) return strict;
  const cursor = { text, at: 0, repairs: new Set<Repair>() };
  skipSpace(cursor);
  try {
    const read = readValue(text, cursor.at);
    cursor.at = read.end;
    skipSpace(cursor);
    if (cursor.at < text.length) return undefined;
    return { ...read, repairs: new Set([...cursor.repairs, ...read.repairs]) };
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

const ESCAPED_START = /^\s*[[{]\s*(?:\\n\s*)?\\"/;

/**
 * Reads a value in which every quote has a backslash before it: the inside of a JSON string that lost its own quotes.
 * @returns undefined where the text is not of that kind, or not strict JSON without the backslashes.
 */
export function readEscapedQuotes(text: string): ReadValue | undefined {
  const body = withoutFence(text.trim());
  if (!ESCAPED_START.test(body)) return undefined;
  const quoted = `"${body}"`;
  const cursor = { text: quoted, at: 0, repairs: new Set<Repair>() };
  try {
    const inner = readString(cursor);
    if (cursor.at < quoted.length) return undefined;
    const read = readWhole(inner.value);
    if (!read || read.repairs.size) return undefined;
    return {
      ...read,
      repairs: new Set<Repair>(body === text.trim() ? ["escaped_quotes"] : ["code_fence", "escaped_quotes"]),
    };
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

function withoutFence(text: string): string {
  if (!text.startsWith("```") || !text.endsWith("```") || text.length < 6) return text;
  return text
    .slice(3, -3)
    .replace(/^[\w-]*\s/, "")
    .trim();
}
