const DECIMAL = /^(\d{1,12})(?:\.(\d{1,40}))?(?:e([+-]\d{1,3}))?$/;
const NANO_DIGITS = 9;

/**
 * USD as a number or decimal text → nano-USD, exactly, by its decimal digits: 0.1 is 100,000,000 and not what the
 * binary fraction nearest to 0.1 would make of it. A tenth or later decimal is rounded half up, because floats in a
 * price list can carry such dust (0.18000000000000002).
 * @throws RangeError for negative, infinite or non-decimal values.
 */
export function nanoUsdOf(usd: number | string): bigint {
  const match = DECIMAL.exec(String(usd).trim());
  if (!match) throw new RangeError(`not a price in USD: ${JSON.stringify(String(usd)).slice(0, 80)}`);
  const [, whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  // Decimal places that the digits have left when counted in nano-USD; negative where zeros have to be added.
  const places = fraction.length - Number(exponent) - NANO_DIGITS;
  if (places <= 0) return BigInt(digits) * 10n ** BigInt(-places);
  const unit = 10n ** BigInt(places);
  return (BigInt(digits) + unit / 2n) / unit;
}
