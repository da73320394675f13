/** Differences up to this are no difference: what remains of sums and differences of doubles as prices have them. */
const ABSOLUTE_TOLERANCE = 1e-9;
/** The same for large numbers, whose doubles are coarser; a hundredth still shows at a hundred billion. */
const RELATIVE_TOLERANCE = 1e-13;

/** Whether two doubles differ by at most 0.000000001, or by a ten-trillionth of the larger where that is more. */
export function areClose(a: number, b: number): boolean {
  if (a === b) return true;
  if (!Number.isFinite(a - b)) return false;
  const larger = Math.max(Math.abs(a), Math.abs(b));
  return Math.abs(a - b) <= Math.max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * larger);
}

/**
 * The sum of numbers as decimals, so that 0.1 and 0.2 are 0.3, rounded once at the end. 0 for none. A number that is not
 * finite makes the sum what doubles make of it.
 */
export function sumDecimals(numbers: readonly number[]): number {
  const plain = numbers.reduce((sum, number) => sum + number, 0);
  if (!Number.isFinite(plain)) return plain;
  if (numbers.every(Number.isSafeInteger) && Number.isSafeInteger(plain)) return plain;
  // By exponent first: numbers of one kind share it, and large powers of ten are made once for each.
  const sums = new Map<number, bigint>();
  for (const number of numbers) {
    const { digits, exponent } = decimalOf(number);
    sums.set(exponent, (sums.get(exponent) ?? 0n) + digits);
  }
  const lowest = Math.min(...sums.keys());
  let total = 0n;
  for (const [exponent, sum] of sums) total += sum * 10n ** BigInt(exponent - lowest);
  return Number(`${total}e${lowest}`);
}

/** The shortest decimal that is this double, which is how JSON spells it. */
function decimalOf(number: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = "0", exponent = "0"] = String(number).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}
