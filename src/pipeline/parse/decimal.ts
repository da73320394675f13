/** A decimal number: sign, digits without zeros at either end, and the power of ten of the last digit. */
export interface Decimal {
  readonly isNegative: boolean;
  /** Empty for zero. */
  readonly digits: string;
  readonly exponent: number;
}

/** Of a number as JSON writes it, or of a double as the shortest text that reads back as it. Linear. */
export function decimalOf(source: string | number): Decimal {
  const text = String(source);
  const [mantissa = "", power = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace(/^[-+]/, "").split(".");
  const all = whole + fraction;
  let start = 0;
  while (all.charAt(start) === "0") start += 1;
  let end = all.length;
  while (end > start && all.charAt(end - 1) === "0") end -= 1;
  return {
    isNegative: text.startsWith("-"),
    digits: all.slice(start, end),
    exponent: Number(power) - fraction.length + all.length - end,
  };
}

/** -1, 0 or 1 as the first of two numbers of one sign is below, equal to or above the second. */
export function compareDecimals(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const sign = a.isNegative ? -1 : 1;
  if (!a.digits && !b.digits) return 0;
  const magnitude = a.digits.length + a.exponent - b.digits.length - b.exponent;
  // Of equal magnitude, digits without zeros at their end compare like words.
  if (magnitude === 0 && a.digits === b.digits) return 0;
  const isAbove = magnitude === 0 ? a.digits > b.digits : magnitude > 0;
  return isAbove === (sign === 1) ? 1 : -1;
}
