import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { type FieldViolation, invalidRequest } from "../../core/failure.ts";

const TIMESTAMP = "google.protobuf.Timestamp";
/** What protobuf reads as a time, and `Date.parse` takes for the day after where there is no such day or hour. */
const DAY_AND_HOUR = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):/;
/** Texts without it have none of those, unless a backslash hides it. */
const SUSPECT = /-(?:29|30|31)T|T24|\\/;
/** Deeper messages are refused when they are decoded. */
const MAX_LEVELS = 100;

/** Whether a message of this type, or one within it, has a time. */
export function hasTimes(schema: DescMessage): boolean {
  return timedFields(schema).length > 0;
}

/**
 * Refuses times that no calendar has, such as the 30th of February, which the library would read as the 2nd of March.
 * What else is wrong with the text is left to who decodes it.
 * @param text of a message in JSON.
 * @throws SluiceError INVALID_REQUEST naming the field.
 */
export function checkJsonTimes(schema: DescMessage, text: string): void {
  if (!SUSPECT.test(text)) return;
  let json: JsonValue;
  try {
    json = JSON.parse(text);
  } catch {
    return;
  }
  const found = faultOfMessage(schema, json, "", 0);
  if (found) throw invalidRequest(found.field, found.rule, found.description);
}

/** By the type of the message: its fields that are times or lead to some. */
const timed = new WeakMap<DescMessage, readonly DescField[]>();

function timedFields(schema: DescMessage): readonly DescField[] {
  const known = timed.get(schema);
  if (known) return known;
  const fields = schema.fields.filter(({ message }) => message && leadsToTime(message, new Set()));
  timed.set(schema, fields);
  return fields;
}

function leadsToTime(schema: DescMessage, seen: Set<DescMessage>): boolean {
  if (schema.typeName === TIMESTAMP) return true;
  if (seen.has(schema)) return false;
  seen.add(schema);
  return schema.fields.some(({ message }) => message && leadsToTime(message, seen));
}

function faultOfMessage(schema: DescMessage, json: unknown, path: string, level: number): FieldViolation | undefined {
  if (schema.typeName === TIMESTAMP) return faultOfTime(json, path);
  if (level > MAX_LEVELS || !isObject(json)) return undefined;
  for (const field of timedFields(schema)) {
    // Both spellings at once are refused when the message is decoded.
    for (const key of new Set([field.jsonName, field.name])) {
      const fault = Object.hasOwn(json, key) && faultOfField(field, json[key], path + field.name, level + 1);
      if (fault) return fault;
    }
  }
  return undefined;
}

function faultOfField(field: DescField, value: unknown, path: string, level: number): FieldViolation | undefined {
  const { message } = field;
  if (!message) return undefined;
  const end = message.typeName === TIMESTAMP ? "" : ".";
  if (field.fieldKind === "message") return faultOfMessage(message, value, path + end, level);
  if (!isObject(value)) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const fault = faultOfMessage(message, item, `${path}[${key.slice(0, 64).toWellFormed()}]${end}`, level);
    if (fault) return fault;
  }
  return undefined;
}

function faultOfTime(value: unknown, field: string): FieldViolation | undefined {
  const [, year, month, day, hour] = (typeof value === "string" && DAY_AND_HOUR.exec(value)) || [];
  if (hour === undefined) return undefined;
  if (Number(day) > daysOf(Number(year), Number(month))) {
    return { field, rule: "timestamp.day", description: `there is no day ${year}-${month}-${day}` };
  }
  if (hour === "24") {
    return { field, rule: "timestamp.hour", description: "hours are from 00 to 23; midnight is 00:00 of the next day" };
  }
  return undefined;
}

/** 31 for months that are none, which are refused when they are decoded. */
function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
