import { fieldWords } from "./field-names.ts";
import { columnsOf } from "./labels.ts";
import { readNumber } from "./read-value.ts";
import type { Row } from "./rows.ts";

const MAX_LINES = 2_000;
const MAX_NUMBERS = 6;

/**
 * Lines of an invoice without a header: one text among columns of numbers, two of which multiply to a third. Nothing
 * unless the fields name a description, a quantity, a price and an amount.
 */
export function pricedLines(text: string, fieldNames: readonly string[]): readonly Row[] {
  const named = (word: string) => fieldNames.find((name) => fieldWords(name).includes(fieldWords(word)[0] ?? word));
  const fields = [named("description"), named("quantity"), named("price"), named("amount")];
  return text.split(/\r\n?|\n/, MAX_LINES).flatMap((line) => {
    const cells = pricedLine(columnsOf(line)) ?? [];
    const row = cells.flatMap((cell, i) => (fields[i] === undefined ? [] : [[fields[i], cell]]));
    return row.length > 0 ? [Object.fromEntries(row)] : [];
  });
}

/** Description, quantity, price and amount of a line, or `undefined`. */
function pricedLine(columns: readonly string[]): readonly string[] | undefined {
  const texts = columns.filter((column) => /\p{L}{2}/u.test(column));
  const numbers = columns.filter((column) => /^[^\p{L}]*\d[^\p{L}]*$/u.test(column)).slice(0, MAX_NUMBERS);
  const [description] = texts;
  if (description === undefined || texts.length > 2 || numbers.length < 3) return undefined;
  for (const [i, quantity] of numbers.entries()) {
    for (const [j, price] of numbers.entries()) {
      const amount = numbers.find(
        (_, k) => k > Math.max(i, j) && i < j && multiplies(quantity, price, numbers[k] ?? ""),
      );
      if (amount !== undefined) return [description, quantity, price, amount];
    }
  }
  return undefined;
}

function multiplies(quantity: string, price: string, amount: string): boolean {
  const product = (readNumber(quantity) ?? Number.NaN) * (readNumber(price) ?? Number.NaN);
  // Half a cent, for amounts that were rounded.
  return Math.abs(product - (readNumber(amount) ?? Number.NaN)) <= 0.005;
}
