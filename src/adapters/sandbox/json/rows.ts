import { fieldWords, labelScore } from "./field-names.ts";
import { columnsOf } from "./labels.ts";

const MAX_ROWS = 100;

/** Headers are looked for in so many lines, columns and fields. */
const MAX_LINES = 2_000;
const MAX_COLUMNS = 32;
const MAX_FIELDS = 64;
const MAX_HEADER_CHARACTERS = 40;

/** A header matches when at least two of its columns name fields. */
const MIN_COLUMNS = 2;

/** One line of a table, by the names of the fields that its columns stand for. */
export type Row = Readonly<Record<string, string>>;

/**
 * The lines of the first table whose header names at least two of the fields: columns divided by bars, tabs or two
 * spaces, or by commas or semicolons. It ends at a rule or at the first line
 * with another number of columns; lines of one column belong to the item above them.
 */
export function tableRows(text: string, fieldNames: readonly string[]): readonly Row[] {
  const lines = text.split(/\r\n?|\n/, MAX_LINES);
  const fields = fieldNames.slice(0, MAX_FIELDS).map((name) => ({ name, words: fieldWords(name) }));
  for (const split of [columnsOf, separated(";"), separated(",")]) {
    for (const [i, line] of lines.entries()) {
      const names = columnFields(split(line), fields);
      if (names.filter((name) => name !== undefined).length < MIN_COLUMNS) continue;
      const rows = readRows(lines.slice(i + 1, i + 1 + MAX_ROWS), names, split);
      if (rows.length > 0) return rows;
    }
  }
  return [];
}

function separated(separator: string) {
  return (line: string) => (line.includes(separator) ? line.split(separator).map((cell) => cell.trim()) : []);
}

interface Field {
  readonly name: string;
  readonly words: readonly string[];
}

/** The field that each column stands for: every field goes to the column that names it best, once. */
function columnFields(header: readonly string[], fields: readonly Field[]): readonly (string | undefined)[] {
  if (header.length < MIN_COLUMNS || header.length > MAX_COLUMNS) return [];
  const names: (string | undefined)[] = header.map(() => undefined);
  const pairs = header.flatMap((cell, column) => {
    const label = cell.length > MAX_HEADER_CHARACTERS ? [] : fieldWords(cell);
    if (label.length === 0) return [];
    return fields.map(({ name, words }) => ({ column, name, score: labelScore(label, words, []) }));
  });
  for (const { column, name, score } of pairs.sort((a, b) => b.score - a.score)) {
    if (score > 0 && names[column] === undefined && !names.includes(name)) names[column] = name;
  }
  return names;
}

function readRows(
  lines: readonly string[],
  names: readonly (string | undefined)[],
  split: (line: string) => string[],
): Row[] {
  const rows: Row[] = [];
  for (const line of lines) {
    const rule = /^[\s|:=+-]+$/.test(line);
    if (rule && rows.length > 0) break;
    const cells = split(line);
    // A rule below the header, or a second line of the item above.
    if (rule || (cells.length === 1 && rows.length > 0)) continue;
    if (cells.length !== names.length) break;
    rows.push(Object.fromEntries(cells.flatMap((cell, i) => (names[i] === undefined ? [] : [[names[i], cell]]))));
  }
  return rows;
}
