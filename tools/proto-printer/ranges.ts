import { quote } from "./layout.ts";

const maxFieldNumber = 536_870_911;
const maxEnumNumber = 2_147_483_647;

/** A range of numbers of a descriptor: the end is exclusive for fields and inclusive for enum values. */
interface NumberRange {
  start: number;
  end: number;
}

/** `reserved` or `extensions` statements for ranges of field numbers. */
export function fieldRanges(keyword: "reserved" | "extensions", ranges: NumberRange[]): string[] {
  return ranges.map(({ start, end }) => `${keyword} ${range(start, end - 1, maxFieldNumber)};`);
}

/** `reserved` statements for ranges of enum numbers. */
export function enumRanges(ranges: NumberRange[]): string[] {
  return ranges.map(({ start, end }) => `reserved ${range(start, end, maxEnumNumber)};`);
}

/** The `reserved` statement for names, or nothing. */
export function reservedNames(names: string[]): string[] {
  return names.length > 0 ? [`reserved ${names.map(quote).join(", ")};`] : [];
}

function range(first: number, last: number, max: number): string {
  if (first === last) return String(first);
  return `${first} to ${last === max ? "max" : last}`;
}
