import { fieldWords } from "./field-names.ts";
import { numberFits } from "./minimal-value.ts";
import { readBoolean, readCurrency, readDate, readNumber } from "./read-value.ts";
import { listOf, numberOf, type Schema, textOf, typesOf } from "./schema.ts";

const MAX_TEXT_CHARACTERS = 2_000;

/** A text read as the single value a schema asks for, or `undefined` where it is none. Never an object or an array. */
export function readAs(schema: Schema, name: string, text: string): unknown {
  const choices = listOf(schema.enum);
  if (choices.length > 0) return choices.find((choice) => sameWords(String(choice), text));
  for (const type of typesOf(schema)) {
    const value = readType(type, schema, name, text);
    if (value !== undefined) return value;
  }
  return undefined;
}

function readType(type: string, schema: Schema, name: string, text: string): unknown {
  switch (type) {
    case "integer":
    case "number": {
      const value = readNumber(text);
      return value !== undefined && numberFits(value, schema, type === "integer") ? value : undefined;
    }
    case "boolean":
      return readBoolean(text);
    case "string":
      return readText(schema, name, text);
    default:
      return undefined;
  }
}

function readText(schema: Schema, name: string, text: string): string | undefined {
  const format = textOf(schema.format);
  if (format === "date" || asksForIsoDate(schema, name)) return readDate(text);
  if (format === "date-time") return isoTime(readDate(text));
  if (format === "email")
    return /[^\s<>"'(),:;@]{1,64}@[\w-]+(?:\.[\w-]+)+/.exec(text.slice(0, MAX_TEXT_CHARACTERS))?.[0];
  if (format === "uri") return /https?:\/\/[^\s<>"')\]]+/.exec(text.slice(0, MAX_TEXT_CHARACTERS))?.[0];
  if (format !== "") return undefined;
  if (fieldWords(name).includes("currency")) return readCurrency(text);
  return fitText(schema, text);
}

/** A text within the lengths of a schema: shortened at a word where it is too long, `undefined` where too short. */
export function fitText(schema: Schema, text: string): string | undefined {
  const most = Math.min(numberOf(schema.maxLength) ?? MAX_TEXT_CHARACTERS, MAX_TEXT_CHARACTERS);
  const whole = text.trim();
  const cut = whole.slice(0, most);
  const space = cut.lastIndexOf(" ");
  const fitted = whole.length <= most ? whole : cut.slice(0, space > most / 2 ? space : most).toWellFormed();
  return fitted.length >= Math.max(1, numberOf(schema.minLength) ?? 0) ? fitted : undefined;
}

/** Dates are often asked for as plain text with a pattern, or in words. */
function asksForIsoDate(schema: Schema, name: string): boolean {
  const asked = `${textOf(schema.description)} ${textOf(schema.pattern)}`;
  return fieldWords(name).includes("date") && /YYYY|ISO|\\d\{4\}|\[0-9\]\{4\}/.test(asked);
}

function isoTime(date: string | undefined): string | undefined {
  return date && `${date}T00:00:00Z`;
}

function sameWords(a: string, b: string): boolean {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim();
  return plain(a) === plain(b);
}
