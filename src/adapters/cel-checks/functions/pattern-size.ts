/** Most parts of the patterns that one rule spells out, and of any pattern that is matched. */
export const MAX_PATTERN_SIZE = 1000;

/** An escape, a class, the begin of a group, a count, or any other sign. */
const TOKEN = /\\[\s\S]|\[\]?(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:P?<\w*>|[a-zA-Z-]*:?))?|\{\d+(?:,(\d*))?\}|[\s\S]/g;

/**
 * How many parts a pattern has once its counts are written out, which is about what it compiles to: `(ab{3}){10}` has
 * some 60. For a pattern that is not valid, any number.
 */
export function patternSize(pattern: string): number {
  // Nothing that fits is this long, and a class that is never closed would be searched for from each of its brackets.
  if (pattern.length > 4 * MAX_PATTERN_SIZE) return pattern.length;
  const groups: number[] = [];
  let size = 0;
  let last = 0;
  for (const match of pattern.matchAll(TOKEN)) {
    const [token] = match;
    if (token.startsWith("(")) {
      groups.push(size);
      size = 0;
      last = 0;
    } else if (token === ")") {
      last = size + 2;
      size = (groups.pop() ?? 0) + last;
    } else if (token.length > 1 && token.startsWith("{")) {
      size += last * (Math.max(1, countOf(token)) - 1);
      last *= Math.max(1, countOf(token));
    } else {
      last = 1;
      size += 1;
    }
  }
  return groups.reduce((sum, outer) => sum + outer, size);
}

/** The larger number of "{2}", "{2,}" or "{2,5}". */
function countOf(token: string): number {
  return Math.max(...[...token.matchAll(/\d+/g)].map(Number));
}
