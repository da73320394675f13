import { exampleOfPattern } from "./example-of-pattern.ts";
import { numberOf, type SchemaNode } from "./schema-node.ts";

/** Longer texts are no help in an example. */
const MAX_CHARACTERS = 200;

const WORD = "text";

/** Of each format a text that is valid and plainly not of any request. */
const BY_FORMAT: Readonly<Record<string, string>> = {
  date: "2000-01-31",
  time: "12:00:00Z",
  "date-time": "2000-01-31T12:00:00Z",
  duration: "P1D",
  email: "name@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/text",
  "uri-reference": "/text",
  "uri-template": "/{text}",
  uuid: "00000000-0000-4000-8000-000000000000",
  "json-pointer": "/text",
  "relative-json-pointer": "0/text",
  regex: "^text$",
};

/**
 * A text of the format, pattern and length that a schema asks for. Undefined where none was found.
 * @param ordinal texts without format and pattern differ where it does, for lists without duplicates.
 */
export function exampleText(schema: SchemaNode, ordinal: number): string | undefined {
  const min = numberOf(schema.minLength) ?? 0;
  const max = numberOf(schema.maxLength) ?? MAX_CHARACTERS;
  if (min > max || min > MAX_CHARACTERS) return undefined;
  if (typeof schema.format === "string" && BY_FORMAT[schema.format] !== undefined) return BY_FORMAT[schema.format];
  if (typeof schema.pattern === "string") return exampleOfPattern(schema.pattern, min, Math.min(max, MAX_CHARACTERS));
  // The ordinal comes first, so that cutting keeps it.
  const word = ordinal === 0 ? WORD : `${ordinal + 1} ${WORD}`;
  return word.padEnd(min, ` ${WORD}`).slice(0, max);
}
