import { type Cursor, Unreadable } from "./cursor.ts";
import { compareDecimals, decimalOf } from "./decimal.ts";

/** Everything that could have been meant as part of the number, so that `1_000` and `0x10` fail as a whole. */
const TOKEN = /[\w.+-]+/y;
const STRICT = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Also a plus sign, and digits on one side of the point only. */
const LOOSE = /^([+-]?)(?:(0|[1-9]\d*)\.?|(0|[1-9]\d*)?(\.\d+))([eE][+-]?\d+)?$/;

/** Reaches the caller by its digits, however many; a fraction whose double is whole would pass as one. */
const INTEGER = /^-?\d+(?:\.0*)?$/;

/** Which double stands for a number that none holds: the nearest, or the one on the number's other side. */
export type Rounding = "nearest" | "other";

export interface ReadNumber {
  readonly value: number;
  /** The number in JSON, digits as they were. */
  readonly text: string;
  /** The double says another number; the digits are in `text`. */
  readonly isInexact: boolean;
}

/** @throws Unreadable for what is no decimal number, and for one that overflows, or underflows to zero. */
export function readNumber(cursor: Cursor, rounding: Rounding): ReadNumber {
  const start = cursor.at;
  TOKEN.lastIndex = start;
  const source = TOKEN.exec(cursor.text)?.[0] ?? "";
  const text = STRICT.test(source) ? source : normalize(source, start);
  if (text !== source) cursor.repairs.add("number_notation");
  cursor.at = start + source.length;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Unreadable(start, "a number that a double can hold");
  if (value === 0 && /[1-9]/.test(text.replace(/[eE].*/, ""))) {
    throw new Unreadable(start, "a number that a double can hold");
  }
  // Up to 15 digits a double keeps what was written, unless it is so small that it has fewer bits.
  if (text.length <= 15 && (value === 0 || Math.abs(value) > 1e-300)) return { value, text, isInexact: false };
  const distance = compareDecimals(decimalOf(text), decimalOf(value));
  if (distance !== 0 && Number.isInteger(value) && !INTEGER.test(text)) {
    throw new Unreadable(start, "a number with no more digits than can be kept");
  }
  const isInexact = distance !== 0;
  return { value: isInexact && rounding === "other" ? nextDouble(value, distance) : value, text, isInexact };
}

function normalize(source: string, at: number): string {
  const [, sign = "", whole, before, fraction = "", exponent = ""] = LOOSE.exec(source) ?? [];
  if (whole === undefined && !fraction) throw new Unreadable(at, "a number as JSON writes it");
  return `${sign === "-" ? "-" : ""}${whole ?? before ?? "0"}${fraction}${exponent}`;
}

/** The next double above (1) or below (-1). */
function nextDouble(value: number, direction: number): number {
  const bits = new BigInt64Array(1);
  const double = new Float64Array(bits.buffer);
  double[0] = Math.abs(value);
  bits[0] = (bits[0] ?? 0n) + (Math.sign(value) === direction ? 1n : -1n);
  return Math.sign(value) * (double[0] ?? 0);
}
