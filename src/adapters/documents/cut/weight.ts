/** A token is four of these. */
export const WEIGHT_PER_TOKEN = 4;

/**
 * What one UTF-16 code unit weighs, in quarters of a token: Latin letters, digits and blanks 1, the other alphabets 2, all
 * of East Asia 4. The two halves of a pair weigh 2 each. Additive, so that weights of pieces add up to that of the whole.
 */
export function unitWeight(unit: number): number {
  if (unit < 0x250) return 1;
  if (unit < 0x1100) return 2;
  if (unit >= 0x1e00 && unit < 0x2070) return 1;
  if (unit >= 0xd800 && unit < 0xe000) return 2;
  return 4;
}

/** @param end exclusive */
export function weightOf(text: string, start: number, end: number): number {
  let weight = 0;
  for (let index = start; index < end; index++) weight += unitWeight(text.charCodeAt(index));
  return weight;
}

/** The estimate that chunks are cut by. */
export function estimateTokens(text: string): number {
  return Math.ceil(weightOf(text, 0, text.length) / WEIGHT_PER_TOKEN);
}
