/**
 * Divides a whole among shares in proportion to their weights, by largest remainder: the parts are whole numbers, each
 * within one of its exact part, and their sum is the whole. Of equal remainders the earlier one wins.
 * @param total not negative. @param weights at least one, whole numbers, all above 0.
 */
export function divide(total: bigint, weights: readonly number[]): bigint[] {
  const exact = weights.map(BigInt);
  const sum = exact.reduce((all, weight) => all + weight, 0n);
  const parts = exact.map((weight) => (total * weight) / sum);
  const missing = Number(total - parts.reduce((all, part) => all + part, 0n));
  const byRemainder = exact
    .map((weight, index) => ({ index, remainder: (total * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const rounded = new Set(byRemainder.slice(0, missing).map(({ index }) => index));
  return parts.map((part, index) => (rounded.has(index) ? part + 1n : part));
}
