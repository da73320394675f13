import { formatNanoUsd } from "../core/money.ts";

const NANO = 1_000_000_000n;

/**
 * An amount for people: from a dollar on with cents and groups of thousands, below with three digits that count, so that
 * `$4,012.35` and `$0.000412` can both be read. CSV and JSON have every digit.
 */
export function moneyText(amount: bigint): string {
  if (amount < 0n) return `-${moneyText(-amount)}`;
  if (amount >= NANO) {
    const cents = (amount + 5_000_000n) / 10_000_000n;
    return `$${grouped(cents / 100n)}.${(cents % 100n).toString().padStart(2, "0")}`;
  }
  const digits = amount.toString().length;
  const unit = 10n ** BigInt(Math.max(digits - 3, 0));
  return formatNanoUsd(((amount + unit / 2n) / unit) * unit);
}

/** `1234567n` → "1,234,567". */
export function grouped(count: bigint): string {
  return count.toString().replace(/\B(?=(?:[0-9]{3})+$)/g, ",");
}

/** Every digit, for programs: nano-USD as USD without a sign or groups. */
export function exactUsd(amount: bigint): string {
  return formatNanoUsd(amount).replace("$", "");
}
