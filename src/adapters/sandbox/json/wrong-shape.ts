import type { RequestText } from "../request-text.ts";
import { fillSchema } from "./fill.ts";
import { isObject, resolveSchema, typesOf } from "./schema.ts";

const NOT_A_TEXT = ["not", "what", "the", "schema", "asks", "for"];

/**
 * JSON that breaks a schema in one place: for objects the first field has another type than it should; for anything
 * else the whole value has.
 */
export function wrongShape(schema: unknown, read: RequestText): unknown {
  const value = fillSchema(schema, read);
  if (isObject(value)) {
    const [first] = Object.keys(value);
    if (first !== undefined) return { ...value, [first]: Array.isArray(value[first]) ? "no list" : NOT_A_TEXT };
  }
  return typesOf(resolveSchema(schema, schema)).includes("array") ? "no list" : NOT_A_TEXT;
}
