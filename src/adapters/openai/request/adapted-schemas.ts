import { LRUCache } from "lru-cache";
import { type AdaptedSchema, adaptSchema } from "./adapt-schema.ts";

/** Adapted schemas that are kept; a large one takes ten milliseconds to adapt. */
const MAX_SCHEMAS = 64;
const MAX_CHARACTERS = 1024 * 1024;

/** `adaptSchema` with a bounded memory of what it did last. */
export function rememberingAdapter(): typeof adaptSchema {
  const adapted = new LRUCache<string, AdaptedSchema>({
    max: MAX_SCHEMAS,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ schemaText }, text) => schemaText.length + text.length,
  });
  return (text) => {
    const known = adapted.get(text);
    if (known) return known;
    const fresh = adaptSchema(text);
    adapted.set(text, fresh);
    return fresh;
  };
}
