/** One character: itself, escaped, of a class, any. */
const ATOM = String.raw`(?:\\[dDwWsS]|\\[^\w\s]|\[(?:\\[^\n]|[^\\\]])+\]|\.|[^\\^$.*+?()[\]{}|])`;
const SHAPE = new RegExp(String.raw`^(\^?)(?:${ATOM}(?:[*+?]|\{\d{1,2}(?:,\d*)?\})?)*\$?$`, "u");
const PIECE = new RegExp(String.raw`${ATOM}([*+?]|\{\d{1,2}(?:,\d*)?\})?`, "gu");

/** Characters of fixed number, each of which may be compared again at every place where the one loop can end. */
const MAX_FIXED = 64;

/**
 * Whether a pattern of ECMA-262 is so plain that a backtracking engine takes no more than `MAX_FIXED` steps for each
 * character of the text: single characters in a row, of which one may repeat a variable number of times if the pattern is
 * anchored at the start. Two such loops, a group or an alternative can cost more, and make it not plain.
 */
export function isPlainPattern(pattern: string): boolean {
  const shape = SHAPE.exec(pattern);
  if (!shape) return false;
  let fixed = 0;
  let loops = 0;
  for (const [, times] of pattern.matchAll(PIECE)) {
    if (times === undefined) fixed += 1;
    else if (/^\{\d+\}$/.test(times)) fixed += Number(times.slice(1, -1));
    else loops += 1;
  }
  return fixed <= MAX_FIXED && loops <= (shape[1] ? 1 : 0);
}
