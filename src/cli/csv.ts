/** Rows as CSV (RFC 4180). Cells that a spreadsheet would take for a formula begin with an apostrophe. */
export function csvText(rows: readonly (readonly (string | bigint | number)[])[]): string {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | bigint | number): string {
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
