import { printable } from "./terminal.ts";

/**
 * Rows as lines with aligned columns, two spaces between them, no trailing spaces. Cells are made printable.
 * @param numeric headings, cells of the first row, of the columns that are aligned at their right.
 */
export function tableText(rows: readonly (readonly string[])[], numeric: readonly string[] = []): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell).replace(/\s+/g, " ")));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const isNumeric = (rows[0] ?? []).map((heading) => numeric.includes(heading));
  const aligned = (cell: string, column: number) =>
    isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return `${cells.map((row) => row.map(aligned).join("  ").trimEnd()).join("\n")}\n`;
}
