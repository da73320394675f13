import { fieldWords } from "./field-names.ts";

/** A value that the text gives a name to, such as "Invoice number: 17". */
export interface LabelledValue {
  readonly label: readonly string[];
  readonly value: string;
}

const MAX_LABEL_CHARACTERS = 60;
const MAX_LABEL_WORDS = 6;
const MAX_LABELS = 500;

/** Columns of a line: tabs, bars, or two spaces and more. */
export function columnsOf(line: string): string[] {
  return line
    .replace(/^\s*\|/, "")
    .replace(/\|\s*$/, "")
    .split(/\t+| {2,}|\|/)
    .map((cell) => cell.trim())
    .filter((cell) => cell !== "");
}

/** "Total SEK 2,862.50", "VAT 25 % 572.50": a label and a number with one space between. */
const TRAILING_NUMBER = /^(\p{L}[^\d%]{0,40}(?:\d{1,2}(?:[.,]\d)? ?%[^\d%]{0,12})?) ([-−]?\d[\d.,]{0,20})$/u;

/** "Invoice no. 17", "Order #A-17", "Invoice LP-2031/7". */
const NUMBERED =
  /^(\p{L}[\p{L} ]{0,40}?)(?: ?#| no\b\.?| nr\b\.?| number\b)? ?:? ?([\p{L}\p{N}/_.-]{0,20}\d[\p{L}\p{N}/_.-]{0,40})$/iu;

const CURRENCY_ONLY = /^(?:[A-Z]{3}|[€$£¥₹])$/;

/** Every labelled value of a text, in order: `Label: value`, neighbouring columns, `Label:` above its value, `Invoice no. 17`. */
export function labelledValues(text: string): readonly LabelledValue[] {
  const found: LabelledValue[] = [];
  const add = (label: string, value: string) => {
    const words = label.length <= MAX_LABEL_CHARACTERS ? fieldWords(label).filter((word) => !/^\d/.test(word)) : [];
    if (words.length > 0 && words.length <= MAX_LABEL_WORDS && value !== "" && found.length < MAX_LABELS) {
      found.push({ label: words, value });
    }
  };
  const lines = text.split(/\r\n?|\n/);
  for (const [i, line] of lines.entries()) {
    const columns = columnsOf(line.replace(/^\s*(?:[-*•]|#{1,6})\s+/, ""));
    const [below = ""] = columnsOf(lines[i + 1] ?? "");
    for (const [at, column] of columns.entries()) addFromColumn(column, columns.slice(at + 1, at + 3), below, add);
  }
  return found;
}

function addFromColumn(
  column: string,
  after: readonly string[],
  below: string,
  add: (label: string, value: string) => void,
): void {
  const plain = column.replaceAll("**", "");
  const colon = plain.slice(0, MAX_LABEL_CHARACTERS + 1).search(/[:：](?:\s|$)/);
  const [next = "", afterNext = ""] = after;
  const value = CURRENCY_ONLY.test(next) ? `${next} ${afterNext}` : next;
  if (colon > 0) {
    const own = plain.slice(colon + 1).trim();
    // A label with nothing after its colon heads the column below it, or names the column beside it.
    const heads = own === "" && below !== "" && !below.includes(":") && after.length !== 1;
    add(plain.slice(0, colon), own || (heads ? below : value));
    return;
  }
  const short = plain.slice(0, MAX_LABEL_CHARACTERS * 2);
  const trailing = TRAILING_NUMBER.exec(short);
  if (trailing) add(trailing[1] ?? "", trailing[2] ?? "");
  const numbered = NUMBERED.exec(short);
  if (numbered) add(`${numbered[1]} number`, numbered[2] ?? "");
  if (!trailing && !numbered) add(plain, value);
}
