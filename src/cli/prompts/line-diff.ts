/** Unchanged lines shown around a change. */
const CONTEXT_LINES = 2;
/** Beyond this many compared pairs of lines, the changed part is shown as removed and added as a whole. */
const MAX_PAIRS = 4_000_000;
const MAX_SHOWN_LINES = 80;

type Edit = { readonly sign: " " | "-" | "+"; readonly line: string };

/**
 * The difference between two texts, line by line: `-` for lines of the first, `+` for lines of the second, with a little
 * of what is around them. At most 80 lines. Empty for equal texts.
 */
export function lineDiff(before: string, after: string): readonly string[] {
  if (before === after) return [];
  const edits = editsBetween(before.split("\n"), after.split("\n"));
  const isNearChange = edits.map((_, index) =>
    edits.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(({ sign }) => sign !== " "),
  );
  const shown: string[] = [];
  edits.forEach(({ sign, line }, index) => {
    if (isNearChange[index]) shown.push(`${sign} ${line}`.trimEnd());
    else if (isNearChange[index - 1]) shown.push("…");
  });
  return shown.length > MAX_SHOWN_LINES ? [...shown.slice(0, MAX_SHOWN_LINES), "… (more)"] : shown;
}

function editsBetween(before: readonly string[], after: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < Math.min(before.length, after.length) && before[start] === after[start]) start++;
  let same = 0;
  while (same < Math.min(before.length, after.length) - start && before.at(-1 - same) === after.at(-1 - same)) same++;
  const removed = before.slice(start, before.length - same);
  const added = after.slice(start, after.length - same);
  const keep = (line: string): Edit => ({ sign: " ", line });
  return [
    ...before.slice(0, start).map(keep),
    ...(removed.length * added.length > MAX_PAIRS ? replaceAll(removed, added) : alignLines(removed, added)),
    ...before.slice(before.length - same).map(keep),
  ];
}

function replaceAll(removed: readonly string[], added: readonly string[]): readonly Edit[] {
  return [...removed.map((line): Edit => ({ sign: "-", line })), ...added.map((line): Edit => ({ sign: "+", line }))];
}

/** Keeps a longest common subsequence of lines. */
function alignLines(removed: readonly string[], added: readonly string[]): readonly Edit[] {
  const width = added.length + 1;
  const common = new Uint32Array((removed.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = removed.length - 1; row >= 0; row--) {
    for (let column = added.length - 1; column >= 0; column--) {
      common[row * width + column] =
        removed[row] === added[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const edits: Edit[] = [];
  let row = 0;
  let column = 0;
  while (row < removed.length || column < added.length) {
    const before = removed[row];
    const after = added[column];
    if (before !== undefined && before === after) {
      edits.push({ sign: " ", line: before });
      row++;
      column++;
    } else if (before !== undefined && (after === undefined || at(row + 1, column) >= at(row, column + 1))) {
      edits.push({ sign: "-", line: before });
      row++;
    } else if (after !== undefined) {
      edits.push({ sign: "+", line: after });
      column++;
    }
  }
  return edits;
}
