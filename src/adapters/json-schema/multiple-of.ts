interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/**
 * Whether a number is a multiple of another as decimals, not as doubles: 0.3 is a multiple of 0.1, and 1.1 of 0.01.
 * Beyond 2^53 a double no longer says which integer the text held, so there only divisors of 1 pass.
 * @param divisor above 0.
 */
export function isMultipleOf(value: number, divisor: number): boolean {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return divides(divisor, 1);
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  return divides(divisor, value);
}

function divides(divisor: number, value: number): boolean {
  const a = decimalOf(value);
  const b = decimalOf(divisor);
  const shift = Math.min(a.exponent, b.exponent);
  return (a.digits * 10n ** BigInt(a.exponent - shift)) % (b.digits * 10n ** BigInt(b.exponent - shift)) === 0n;
}

/** The shortest decimal that reads back as the double, which is what was written for up to 15 digits. */
function decimalOf(value: number): Decimal {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}
