/** Longer names are compared by their beginning, so that one comparison costs at most 64 × 64 steps. */
const MAX_COMPARED_CHARACTERS = 64;

/** Candidates beyond these are not looked at: a suggestion is a courtesy and must stay cheap. */
const MAX_CANDIDATES = 1_000;

/**
 * The candidates that are spelled most like `name`, nearest first, equally near ones in alphabetical order; at most
 * `limit` (default 5). Upper and lower case count as equal. Unlike names are listed too where nothing nearer exists:
 * whoever mistook a short list entirely is helped by seeing it.
 */
export function nearestNames(name: string, candidates: Iterable<string>, limit = 5): readonly string[] {
  const wanted = comparable(name);
  const ranked: { readonly candidate: string; readonly distance: number }[] = [];
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked > MAX_CANDIDATES) break;
    ranked.push({ candidate, distance: editDistance(wanted, comparable(candidate)) });
  }
  ranked.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return ranked.slice(0, limit).map(({ candidate }) => candidate);
}

function comparable(name: string): string {
  return name.slice(0, MAX_COMPARED_CHARACTERS).toLowerCase();
}

/** How many characters must be inserted, deleted, replaced or swapped with their neighbour to turn one into the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = at(previous, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      let least = Math.min(replaced, at(previous, column) + 1, at(current, column - 1) + 1);
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) least = Math.min(least, at(beforePrevious, column - 2) + 1);
      current.push(least);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
