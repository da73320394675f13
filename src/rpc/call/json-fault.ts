import {
  type DescField,
  type DescMessage,
  fromJson,
  fromJsonString,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import type { FieldViolation } from "../../core/failure.ts";
import { jsonFaultPlace } from "./json-place.ts";

/** Longest part of an unknown key that is told. */
const MAX_KEY_CHARACTERS = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Finds what is wrong with a message in JSON that did not decode. Only called for those, so that it may decode parts of
 * it again: each part once per level of messages, which the contract bounds.
 * @returns the first fault, its path in field names (`input.messages[0].role`); `undefined` where nothing is wrong.
 */
export function locateJsonFault(schema: DescMessage, bytes: Uint8Array): FieldViolation | undefined {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { field: "", rule: "string.utf8", description: "must be UTF-8" };
  }
  let json: JsonValue;
  try {
    json = JSON.parse(text);
  } catch {
    const place = jsonFaultPlace(text);
    const where = place ? `; it cannot be read on at line ${place.line}, column ${place.column}` : "";
    return { field: "", rule: "json", description: `must be JSON${where}` };
  }
  try {
    fromJsonString(schema, text);
    return undefined;
  } catch {
    const unnamed = {
      field: "",
      rule: "json",
      description: "must not have a key twice, nor two fields of which only one may be set",
    };
    return faultOfMessage(schema, json, "") ?? unnamed;
  }
}

function faultOfMessage(schema: DescMessage, json: JsonValue, path: string): FieldViolation | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return wrongType(path, "a JSON object");
  for (const [key, value] of Object.entries(json)) {
    const field = schema.fields.find(({ jsonName, name }) => jsonName === key || name === key);
    if (!field) {
      const unknown = key.length > MAX_KEY_CHARACTERS ? `${key.slice(0, MAX_KEY_CHARACTERS).toWellFormed()}…` : key;
      return {
        field: join(path, unknown),
        rule: "json.unknown_field",
        description: `${schema.typeName} has no such field`,
      };
    }
    if (!decodes(schema, key, value)) return faultOfField(field, key, value, join(path, field.name));
  }
  return undefined;
}

function faultOfField(field: DescField, key: string, value: JsonValue, path: string): FieldViolation {
  if (field.fieldKind !== "list") return faultOfValue(field, value, path);
  if (!Array.isArray(value)) return wrongType(path, "a JSON array");
  const index = value.findIndex((item) => !decodes(field.parent, key, [item]));
  return index < 0
    ? wrongType(path, expectation(field, value))
    : faultOfValue(field, value[index] ?? null, `${path}[${index}]`);
}

function faultOfValue(field: DescField, value: JsonValue, path: string): FieldViolation {
  const { message } = field;
  // Well-known types have a JSON notation of their own.
  const fault = message && !message.typeName.startsWith("google.protobuf.") && faultOfMessage(message, value, path);
  return fault || wrongType(path, expectation(field, value));
}

function decodes(schema: DescMessage, key: string, value: JsonValue): boolean {
  try {
    fromJson(schema, { [key]: value });
    return true;
  } catch {
    return false;
  }
}

function expectation(field: DescField, value: JsonValue): string {
  if (field.message?.typeName === "google.protobuf.Struct") return "a JSON object, at most 100 levels deep";
  if (field.message) return `a ${field.message.typeName} in JSON`;
  if (field.enum) {
    const names = field.enum.values.map(({ name }) => name).filter((name) => !name.endsWith("_UNSPECIFIED"));
    return `one of ${names.join(", ")}`;
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      if (typeof value === "object" && value !== null) return "text: the JSON written as a string";
      return typeof value === "string" ? "well-formed Unicode, without halves of surrogate pairs" : "text";
    case ScalarType.BOOL:
      return "true or false";
    case ScalarType.BYTES:
      return "text in base64";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return "a number";
    default:
      return `a whole number${integerRange(field.scalar)}`;
  }
}

function integerRange(scalar: ScalarType | undefined): string {
  const isUnsigned = scalar === ScalarType.UINT32 || scalar === ScalarType.FIXED32;
  if (isUnsigned) return " from 0 to 4294967295";
  if (scalar === ScalarType.UINT64 || scalar === ScalarType.FIXED64) return ", 0 or more";
  const isShort = scalar === ScalarType.INT32 || scalar === ScalarType.SINT32 || scalar === ScalarType.SFIXED32;
  return isShort ? " from -2147483648 to 2147483647" : "";
}

function wrongType(field: string, expected: string): FieldViolation {
  return { field, rule: "json.type", description: `must be ${expected}` };
}

function join(path: string, name: string): string {
  return path ? `${path}.${name}` : name;
}
