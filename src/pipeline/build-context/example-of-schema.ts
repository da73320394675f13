import type { JsonSchema } from "../../core/json-schema.ts";
import { type ExampleStyle, exampleValue } from "./example/example-value.ts";
import { hasTemplateToken } from "./template-tokens.ts";

const MAX_CHARACTERS = 2_000;

/** The most telling first. */
const STYLES: readonly ExampleStyle[] = [
  { branch: 0, isGenerous: true },
  { branch: 1, isGenerous: true },
  { branch: 0, isGenerous: false },
  { branch: 1, isGenerous: false },
  { branch: 2, isGenerous: false },
];

/** Compiled schemas are kept and shared; an example goes when its schema does. */
const known = new WeakMap<JsonSchema, string>();

/**
 * JSON text that satisfies a schema, for models that are asked in words; always the same for one schema, at most 2,000
 * characters. Its values ("text", 1, 2000-01-31) are nobody's data. Empty where no value was found that satisfies the
 * schema: no example is better than a wrong one.
 */
export function exampleOf(schema: JsonSchema): string {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const example = makeExample(schema);
  known.set(schema, example);
  return example;
}

function makeExample(schema: JsonSchema): string {
  for (const style of STYLES) {
    const value = exampleValue(schema.definition, style);
    if (value === undefined || schema.validate(value).length > 0) continue;
    const text = JSON.stringify(value);
    // The schema may spell such a token with escapes, which the example would undo.
    if (text.length <= MAX_CHARACTERS && !hasTemplateToken(text)) return text;
  }
  return "";
}
