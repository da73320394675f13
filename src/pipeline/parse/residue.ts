import type { ReadValue } from "./read-value.ts";
import type { Repair } from "./repair.ts";

/** A quoted name with a colon where a member of an object could begin: the value beside it may be part of that object. */
const MEMBER = /(?:^|[,;{}[\]\n])[^\S\n]*(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|\u201c[^\u201c\u201d\n]{0,200}\u201d)\s*:/;
/** A comma and then something that could be the next value or member, or nothing. */
const LIST_GOES_ON = /^\s*,\s*(?:["'\u201c\u201d{[\d]|[\w$]+\s*:|$)/;
/** A call, an index, an operator: the value is an operand of an expression. */
const EXPRESSION = /^(?:\.[A-Za-z_$]|\[|\(|\\|\s*[*+%|&]\s*[\d{[("']|\s*=|\s*:)/;
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
    if (index > 0 && (NAME_BEHIND.test(gap) || LIST_GOES_ON.test(gap) || EXPRESSION.test(gap) || LEFT_OUT.test(gap)))
      return true;
    // Inside the quotes of a programming language a backslash would have to be read once more.
    return QUOTE_BEFORE.test(gap.slice(-8)) && Boolean(values[index]?.text.includes("\\"));
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
