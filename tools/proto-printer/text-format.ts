import type { JsonValue } from "@bufbuild/protobuf";
import { block, quote } from "./layout.ts";

/**
 * A message in the text format, as it stands in an option's value: one field a line, nested messages in braces.
 * `json` is the message's JSON with proto field names; enum values and bytes are not distinguished from strings in JSON,
 * so a message that has them must not be given.
 */
export function textFormat(json: JsonValue): string[] {
  if (!isObject(json)) throw new Error("a message's JSON is an object");
  return Object.entries(json).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((element) => textField(name, element)),
  );
}

function textField(name: string, value: JsonValue): string[] {
  if (isObject(value)) return block(name, textFormat(value));
  return [`${name}: ${typeof value === "string" ? quote(value) : String(value)}`];
}

function isObject(value: JsonValue): value is { [name: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
