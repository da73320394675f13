import { LRUCache } from "lru-cache";
import { InvalidSchemaError, type JsonSchema, type JsonSchemas } from "../../core/json-schema.ts";
import { checkSchema } from "./check-schema.ts";
import { compileLowered } from "./compile.ts";
import { lowerSchema } from "./lower.ts";
import { resolveReferences } from "./references.ts";
import { readSchemaText } from "./schema-text.ts";
import { makeValidate } from "./validate.ts";

/** Compiled validators are far larger than their text; together these bounds keep them to tens of megabytes. */
const MAX_SCHEMAS = 256;
const MAX_TEXT_CHARACTERS = 2 ** 20;

/**
 * The schema engine: JSON Schema 2020-12 on ajv. Strict about keywords and formats, own properties only, patterns in
 * linear time, references inside the document only. Keeps up to 256 compiled schemas, the least recently used going
 * first, by their whole text, so that nothing is shared between schemas that differ in anything.
 */
export function createJsonSchemas(): JsonSchemas {
  const compiled = new LRUCache<string, JsonSchema>({
    max: MAX_SCHEMAS,
    maxSize: MAX_TEXT_CHARACTERS,
    sizeCalculation: (schema) => schema.text.length + 1,
  });
  return {
    compile(text) {
      const known = compiled.get(text);
      if (known) return known;
      const schema = compileText(text);
      compiled.set(text, schema);
      return schema;
    },
  };
}

function compileText(text: string): JsonSchema {
  const definition = readSchemaText(text);
  const map = checkSchema(definition);
  const lowered = lowerSchema(map, resolveReferences(map));
  try {
    return { text, definition: freeze(definition), validate: makeValidate(compileLowered(lowered), map) };
  } catch (error) {
    // ajv generates code; what it cannot generate (deeper than its own recursion goes) must not pass for a bug of ours.
    if (error instanceof RangeError) throw new InvalidSchemaError("", "size", "the schema is too large to be compiled");
    throw error;
  }
}

/** Freezes all the way down; the depth of a checked schema is bounded. */
function freeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const child of Object.values(value)) freeze(child);
  return Object.freeze(value);
}
