import type { ReadValue } from "./read-value.ts";
import type { Repair } from "./repair.ts";

/** A quoted name with a colon where a member of an object could begin: the value beside it may be part of that object. */
const MEMBER = /(?:^|[,;{}[\]\n])[^\S\n]*(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|\u201c[^\u201c\u201d\n]{0,200}\u201d)\s*:/;
/** A comma and then something that could be the next value or member, or nothing. */
const LIST_GOES_ON = /^\s*,\s*(?:["'\u201c\u201d{[)\d]|[\w$]+\s*:|$)/;
/** A call, an index, an operator: the value is an operand of an expression. */
const EXPRESSION = /^(?:\.[A-Za-z_$]|\[|\(|\\|\s*[*+%|&]\s*[\d{[("']|\s*(?:\|\||&&|\?\?)|\s*=|\s*:)/;
/** Nothing but an operator between two values. At the beginning of a line some of them mark an item or a quotation. */
const OPERATOR_BETWEEN = /^(?:[^\S\n]*[-+*<>]|\s*[|&^%/])[-+*/%|&^<>=]{0,2}\s*$/;
/** A string, literal, number or ellipsis as an item that was listed before: behind words it is part of the prose. */
const ITEM_BEFORE_COMMA =
  /(?:["'\u201d\u2019]|\.\.\.|\u2026|(?:^|[\n,([\]{}]|[\s"'\u201d]:)\s*(?:[-+.\d][\w.+-]*|true|false|null|none))$/i;
const ITEM_BEFORE_COLON =
  /(?:^|[\n,[\]{}])\s*(?:"[^"\n]*"|'[^'\n]*'|[-+.\d][\w.+-]*|true|false|null|none|\.\.\.|\u2026)$/i;
/** Where nothing stands before the comma or colon either. */
const NO_ITEM = /(?:^|[,:[{])$/;
const MAX_ITEM = 64;
/** The end of a quoted name, with a colon, right before a value: its beginning was taken for something else. */
const NAME_BEFORE = /^(?:\s*["'\u201c].*|[^"\u201c]*)["'\u201d\u2019]\s*:\s*$/s;
/** The same behind a value, where no words of introduction are to be expected. */
const NAME_BEHIND = /["\u201d]\s*:/;
const LEFT_OUT = /^\s*(?:,\s*)?(?:\.\.\.|\u2026)/;
const QUOTE_BEFORE = /["']\s*$/;

/**
 * Whether the words around the values that were found say that these are parts of something larger.
 * @param gaps the texts before, between and after the values: one more than there are values.
 */
export function isPartOfMore(gaps: readonly string[], values: readonly ReadValue[]): boolean {
  return gaps.some((gap, index) => {
    if (MEMBER.test(gap) || NAME_BEFORE.test(gap)) return true;
    if (index < values.length && isItemBefore(gap)) return true;
    if (index > 0 && index < values.length && isOperatorOrIndex(gap, values[index])) return true;
    if (index > 0 && (NAME_BEHIND.test(gap) || LIST_GOES_ON.test(gap) || EXPRESSION.test(gap) || LEFT_OUT.test(gap)))
      return true;
    // Inside the quotes of a programming language a backslash would have to be read once more.
    return QUOTE_BEFORE.test(gap.slice(-8)) && Boolean(values[index]?.text.includes("\\"));
  });
}

/** Whether a comma or colon right before a value follows an item or nothing: the list or object around it lost its head. */
function isItemBefore(gap: string): boolean {
  const words = gap.replaceAll(/\p{Cf}/gu, "").trimEnd();
  const separator = words.at(-1);
  if (separator !== "," && separator !== ":") return false;
  const before = words.slice(0, -1).trimEnd();
  // Cut out of a longer text, the beginning of the tail is not the beginning of a line.
  const tail = before.length > MAX_ITEM ? `x${before.slice(-MAX_ITEM)}` : before;
  // What the white space in front of the separator ended in was a line of its own, with nothing on it.
  const hasOwnLine = words.slice(before.length, -1).includes("\n");
  return hasOwnLine || NO_ITEM.test(tail) || (separator === "," ? ITEM_BEFORE_COMMA : ITEM_BEFORE_COLON).test(tail);
}

function isOperatorOrIndex(gap: string, next: ReadValue | undefined): boolean {
  return gap ? OPERATOR_BETWEEN.test(gap) : Array.isArray(next?.value);
}

const QUOTED = /"([^"\n]{0,200})"|\u201c([^\u201d\n]{0,200})\u201d|(?<!\w)'([^'\n]{0,200})'(?!\w)/g;
const NUMBER = /(?<![\w.])[-+]?\.?\d[\w.+-]*/g;
const TRUTH = /\b(?:true|false)\b/gi;

/** Whether the words around a string, number or truth value hold another of its kind, which might be the answer as well. */
export function hasOtherScalar(gaps: readonly string[], { value }: ReadValue): boolean {
  return gaps.some((gap) => {
    if (typeof value === "number") return (gap.match(NUMBER) ?? []).some((found) => Number(found) !== value);
    if (typeof value === "boolean") return (gap.match(TRUTH) ?? []).some((found) => found.toLowerCase() !== `${value}`);
    if (typeof value !== "string") return false;
    for (const [, straight, curly, single] of gap.matchAll(QUOTED))
      if ((straight ?? curly ?? single) !== value) return true;
    return false;
  });
}

const FENCE_LINE = /`{3,}[^\n`]*|~{3,}[^\n~]*/g;

/** What was left out around the values, beside the white space of JSON. */
export function surroundings(gaps: readonly string[]): readonly Repair[] {
  const repairs = new Set<Repair>();
  for (const gap of gaps) {
    const words = gap.replaceAll(FENCE_LINE, "");
    if (words.length < gap.length) repairs.add("code_fence");
    if (/[^\s\ufeff\u200b]/.test(words)) repairs.add("surrounding_text");
    else if (/[^ \t\r\n]/.test(words)) repairs.add("invisible_characters");
  }
  return [...repairs];
}
