/** The largest amount that is kept, in nano-USD: about 9 million USD. Sums stop there; limits are below. */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER;

/** Nano-USD as the stores keep them: exact up to `MAX_AMOUNT`, and not above. */
export function toAmount(nanoUsd: bigint): number {
  return nanoUsd >= BigInt(MAX_AMOUNT) ? MAX_AMOUNT : Number(nanoUsd);
}

/** The sum, from 0 to `MAX_AMOUNT`. */
export function plus(a: number, b: number): number {
  return Math.min(Math.max(a + b, 0), MAX_AMOUNT);
}
