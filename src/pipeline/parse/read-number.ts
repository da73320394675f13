import { type Cursor, Unreadable } from "./cursor.ts";

/** Everything that could have been meant as part of the number, so that `1_000` and `0x10` fail as a whole. */
const TOKEN = /[\w.+-]+/y;
const STRICT = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Also a plus sign, and digits on one side of the point only. */
const LOOSE = /^([+-]?)(?:(0|[1-9]\d*)\.?|(0|[1-9]\d*)?(\.\d+))([eE][+-]?\d+)?$/;

/** Which double stands for an integer that none holds: the nearest, or the one on the integer's other side. */
export type Rounding = "nearest" | "other";

export interface ReadNumber {
  readonly value: number;
  /** The number in JSON, digits as they were. */
  readonly text: string;
  /** An integer that a double cannot hold; its digits are in `text`. */
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
  const isInexact = !Number.isSafeInteger(value) && /^-?\d+(?:\.0*)?$/.test(text) && isRounded(text, value);
  return { value: isInexact && rounding === "other" ? otherSide(text, value) : value, text, isInexact };
}

function normalize(source: string, at: number): string {
  const [, sign = "", whole, before, fraction = "", exponent = ""] = LOOSE.exec(source) ?? [];
  if (whole === undefined && !fraction) throw new Unreadable(at, "a number as JSON writes it");
  return `${sign === "-" ? "-" : ""}${whole ?? before ?? "0"}${fraction}${exponent}`;
}

function isRounded(text: string, value: number): boolean {
  return BigInt(text.replace(/\..*/, "")) !== BigInt(value);
}

function otherSide(text: string, value: number): number {
  const isFartherFromZero = BigInt(Math.abs(value)) > BigInt(text.replace(/^-|\..*/g, ""));
  const bits = new BigInt64Array(1);
  const double = new Float64Array(bits.buffer);
  double[0] = Math.abs(value);
  bits[0] = (bits[0] ?? 0n) + (isFartherFromZero ? -1n : 1n);
  return Math.sign(value) * (double[0] ?? 0);
}
