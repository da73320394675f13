export { seeded } from "../../test/pipeline/parse/random.ts";

/** Gives the next number of a generator. */
export type Random = () => number;

/**
 * Draws ranks from 0 to below `size`, each with a probability that falls as its place to the power of `exponent`
 * (at least 0; 0: all alike).
 */
export function zipf(size: number, exponent: number, random: Random): Random {
  const sums: number[] = [];
  let total = 0;
  for (let place = 1; place <= size; place += 1) {
    total += place ** -exponent;
    sums.push(total);
  }
  return () => {
    const at = random() * total;
    let [low, high] = [0, size - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? total) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
