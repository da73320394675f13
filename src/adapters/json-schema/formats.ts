import type { Format } from "ajv";
import { fullFormats } from "ajv-formats/dist/formats.js";

/** ajv-formats takes "2026-01-01 10:00:00+0100"; RFC 3339, section 5.6, and most readers of other languages do not. */
const RFC3339_TIME = /^([01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const RFC3339_DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]([01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The formats that are asserted: those of JSON Schema 2020-12 except the internationalised ones (idn-email,
 * idn-hostname, iri, iri-reference), which nothing here could check, and the numeric ones of OpenAPI.
 */
export const formats: Readonly<Record<string, Format>> = {
  date: fullFormats.date,
  time: { type: "string", validate: (text: string) => RFC3339_TIME.test(text) && checks("time", text) },
  "date-time": {
    type: "string",
    validate: (text: string) => RFC3339_DATE_TIME.test(text) && checks("date-time", text),
  },
  duration: fullFormats.duration,
  email: fullFormats.email,
  hostname: fullFormats.hostname,
  ipv4: fullFormats.ipv4,
  ipv6: fullFormats.ipv6,
  uri: fullFormats.uri,
  "uri-reference": fullFormats["uri-reference"],
  "uri-template": fullFormats["uri-template"],
  uuid: UUID,
  "json-pointer": fullFormats["json-pointer"],
  "relative-json-pointer": fullFormats["relative-json-pointer"],
  regex: fullFormats.regex,
  int32: { type: "number", validate: (n: number) => Number.isInteger(n) && n >= -(2 ** 31) && n < 2 ** 31 },
  int64: { type: "number", validate: (n: number) => Number.isInteger(n) && n >= -(2 ** 63) && n < 2 ** 63 },
  float: { type: "number", validate: () => true },
  double: { type: "number", validate: () => true },
};

/** What ajv-formats knows beyond the digits: the lengths of months, leap years and leap seconds. */
function checks(name: "time" | "date-time", text: string): boolean {
  const format = fullFormats[name];
  // The fraction says nothing about validity, and as a double it can round up to the 60th second.
  const whole = text.replace(/\.\d+/, "");
  return typeof format === "object" && "validate" in format && typeof format.validate === "function"
    ? Boolean(format.validate(whole as never))
    : false;
}
