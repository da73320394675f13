import type { JsonValue } from "@bufbuild/protobuf";
import type { Metadata } from "../../core/corpus.ts";
import type { FieldViolation } from "../../core/failure.ts";

const KEY = /^[A-Za-z_][A-Za-z0-9._-]{0,63}$/;
const MAX_KEYS = 64;
const MAX_ITEMS = 64;
const MAX_TEXT_BYTES = 1024;
const MAX_JSON_BYTES = 16_384;
/** Of a key that is none, so much is shown. */
const MAX_SHOWN_CHARACTERS = 64;

/**
 * What is wrong with a document's metadata: their keys and values are not the proto's to judge.
 * @param field path of the metadata, such as `documents[2].metadata`.
 */
export function metadataViolations(metadata: Metadata, field: string): FieldViolation[] {
  const entries = Object.entries(metadata);
  if (entries.length > MAX_KEYS) return [violation(field, "metadata.max_keys", `must have at most ${MAX_KEYS} keys`)];
  const violations = entries.flatMap(([key, value]) => {
    if (KEY.test(key)) return valueViolations(value, `${field}.${key}`);
    const shown = JSON.stringify(key.slice(0, MAX_SHOWN_CHARACTERS).toWellFormed());
    const rule = "must be a letter or underscore, then letters, digits and . _ -, at most 64";
    return [violation(`${field}[${shown}]`, "metadata.key", rule)];
  });
  if (violations.length > 0) return violations;
  const isTooLong = Buffer.byteLength(JSON.stringify(metadata)) > MAX_JSON_BYTES;
  return isTooLong ? [violation(field, "metadata.max_bytes", `must be at most ${MAX_JSON_BYTES} bytes as JSON`)] : [];
}

function valueViolations(value: JsonValue, field: string): FieldViolation[] {
  if (!Array.isArray(value)) return scalarViolations(value, field);
  if (value.length > MAX_ITEMS) return [violation(field, "metadata.max_items", `must have at most ${MAX_ITEMS} items`)];
  return value.flatMap((item, index) => scalarViolations(item, `${field}[${index}]`));
}

function scalarViolations(value: JsonValue, field: string): FieldViolation[] {
  switch (typeof value) {
    case "boolean":
      return [];
    case "number":
      return Number.isFinite(value) ? [] : [violation(field, "metadata.number", "must be a finite number")];
    case "string":
      return textViolations(value, field);
    default:
      return [violation(field, "metadata.value", "must be a text, a number, a bool, or a list of these")];
  }
}

function textViolations(text: string, field: string): FieldViolation[] {
  if (text.includes("\0")) return [violation(field, "metadata.text", "must not contain NUL")];
  if (!text.isWellFormed()) return [violation(field, "metadata.text", "must not contain half of a surrogate pair")];
  if (Buffer.byteLength(text) <= MAX_TEXT_BYTES) return [];
  return [violation(field, "metadata.text", `must be at most ${MAX_TEXT_BYTES} bytes`)];
}

function violation(field: string, rule: string, description: string): FieldViolation {
  return { field, rule, description };
}
