const DAY_MS = 86_400_000;

/** "30 days net", "net 30 days", "payable within 30 days", "Terms: 30 days". */
const TERMS = [
  /\b(\d{1,3}) days,? net\b/i,
  /\bnet,? (\d{1,3}) days\b/i,
  /\b(?:pay|payable|payment|due|terms)\b[^.\n]{0,40}?\b(\d{1,3}) days\b/i,
];

/** The day by which an invoice of a date (`YYYY-MM-DD`) must be paid, where its text names a term in days. */
export function dueDate(text: string, invoiceDate: string): string | undefined {
  for (const term of TERMS) {
    const days = term.exec(text)?.[1];
    if (days !== undefined) return new Date(Date.parse(invoiceDate) + Number(days) * DAY_MS).toISOString().slice(0, 10);
  }
  return undefined;
}
