/** A small deterministic generator (mulberry32): the same seed gives the same numbers in [0, 1) everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of a list that is not empty. */
export function pick<T>(random: () => number, list: readonly [T, ...T[]]): T {
  return list[Math.floor(random() * list.length)] ?? list[0];
}

/** Pieces of text that have tripped parsers: quotes, brackets, escapes, tags, fences, comments, invisible characters. */
const PIECES = [
  "Skarv",
  " ",
  '"',
  "'",
  "\\",
  "\n",
  "\t",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "//",
  "/*",
  "*/",
  "#",
  "```",
  "</think>",
  "<think>",
  "…",
  "...",
  "“",
  "”",
  "’",
  "\u200b",
  "\u00a0",
  "🦀",
  "é",
  "null",
  "0x10",
  "1,234",
  '": ',
  "\\u0041",
  "NaN",
] as const;

/** A JSON value of bounded size. Objects have different keys; none is `__proto__`. */
export function randomValue(random: () => number, level = 0): unknown {
  const kind = Math.floor(random() * (level < 4 ? 8 : 5));
  if (kind === 0) return pick(random, [null, true, false]);
  if (kind === 1) return Math.round((random() - 0.5) * 10 ** pick(random, [1, 4, 9, 15]));
  if (kind === 2) return (random() - 0.5) * 10 ** pick(random, [-9, 0, 3, 20]);
  if (kind <= 4) return randomText(random);
  const size = Math.floor(random() * 4);
  if (kind === 5) return Array.from({ length: size }, () => randomValue(random, level + 1));
  return randomObject(random, level, size);
}

/** An object with at least one member. */
export function randomObject(random: () => number, level = 0, size = 1 + Math.floor(random() * 4)): object {
  const key = () => pick(random, ["vessel", "toString", "constructor", "a-b", "7", "$x", "é", randomText(random)]);
  return Object.fromEntries(Array.from({ length: size }, () => [key(), randomValue(random, level + 1)]));
}

function randomText(random: () => number): string {
  return Array.from({ length: Math.floor(random() * 5) }, () => pick(random, PIECES)).join("");
}
