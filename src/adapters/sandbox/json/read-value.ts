const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const CURRENCY_SIGNS: Readonly<Record<string, string>> = { "€": "EUR", $: "USD", "£": "GBP", "¥": "JPY", "₹": "INR" };
const CURRENCY_CODE = /\b(?:EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|CAD|AUD)\b/;

/** Only this much of a text is read as one value. */
const MAX_VALUE_CHARACTERS = 400;

/** Not part of a word or a code; groups of three digits may be divided by spaces or apostrophes. */
const FIRST_NUMBER = /(?<![\p{L}\p{N}])[-−(]?\s?\d[\d.,]*(?:['’ \u00a0\u202f]\d{3}(?!\d)[\d.,]*)*/u;

/**
 * The first number of a text, in English ("1,234.50") or continental ("1.234,50") notation. One comma or point followed
 * by exactly three digits separates thousands.
 */
export function readNumber(text: string): number | undefined {
  const match = FIRST_NUMBER.exec(text.slice(0, MAX_VALUE_CHARACTERS).replace(/[€$£¥₹]/g, ""));
  if (!match) return undefined;
  const negative = /^[-−(]/.test(match[0]);
  const digits = match[0].replace(/[^\d.,]/g, "").replace(/[.,]+$/, "");
  const value = Number(withPoint(digits));
  if (!Number.isFinite(value)) return undefined;
  return negative && value !== 0 ? -value : value;
}

function withPoint(digits: string): string {
  const last = Math.max(digits.lastIndexOf("."), digits.lastIndexOf(","));
  if (last < 0) return digits;
  const separator = digits[last];
  const decimals = digits.length - last - 1;
  const alone = digits.indexOf(separator ?? "") === last;
  const mixed = digits.includes(".") && digits.includes(",");
  const thousands = !mixed && (!alone || (decimals === 3 && digits[0] !== "0"));
  if (thousands) return digits.replace(/[.,]/g, "");
  return `${digits.slice(0, last).replace(/[.,]/g, "")}.${digits.slice(last + 1)}`;
}

/**
 * The first date of a text as `YYYY-MM-DD`. Written with slashes the month comes first, unless that is no month;
 * written with points the day does.
 */
export function readDate(given: string): string | undefined {
  const text = given.slice(0, MAX_VALUE_CHARACTERS);
  const iso = /\b(\d{4})-(\d{1,2})-(\d{1,2})/.exec(text);
  if (iso) return date(iso[1], iso[2], iso[3]);
  const points = /\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b/.exec(text);
  if (points) return date(points[3], points[2], points[1]);
  const slashes = /\b(\d{1,2})\/(\d{1,2})\/(\d{4})\b/.exec(text);
  if (slashes) return date(slashes[3], slashes[1], slashes[2]) ?? date(slashes[3], slashes[2], slashes[1]);
  const dayFirst = /\b(\d{1,2})(?:st|nd|rd|th|\.)?\s+(\p{L}{3,9})\.?,?\s+(\d{4})\b/u.exec(text);
  if (dayFirst) return date(dayFirst[3], monthNumber(dayFirst[2]), dayFirst[1]);
  const monthFirst = /\b(\p{L}{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b/u.exec(text);
  return monthFirst ? date(monthFirst[3], monthNumber(monthFirst[1]), monthFirst[2]) : undefined;
}

function monthNumber(name = ""): string {
  return String(MONTHS.indexOf(name.toLowerCase().slice(0, 3)) + 1);
}

function date(year = "", month = "", day = ""): string | undefined {
  const written = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const parsed = new Date(`${written}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(written) ? written : undefined;
}

export function readBoolean(text: string): boolean | undefined {
  if (/^\s*(?:yes|true|on|ja|paid)\b/i.test(text)) return true;
  return /^\s*(?:no|false|off|nein|none|unpaid)\b/i.test(text) ? false : undefined;
}

/** The first ISO 4217 code of a text, else the code of its first currency sign. */
export function readCurrency(text: string): string | undefined {
  const sign = /[€$£¥₹]/.exec(text)?.[0];
  return CURRENCY_CODE.exec(text)?.[0] ?? (sign && CURRENCY_SIGNS[sign]);
}
