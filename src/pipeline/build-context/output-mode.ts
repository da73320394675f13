import { rootReference } from "../../core/json-schema.ts";
import type { StructuredOutputMode } from "../../core/model.ts";

/**
 * How a schema is asked for at a model that has the given mode. The native modes answer with objects alone: OpenAI
 * refuses every other root, and its `json_object` cannot write one. Such answers are asked for in words.
 * @param definition the parsed schema.
 */
export function modeFor(mode: StructuredOutputMode, definition: unknown): StructuredOutputMode {
  return isObjectSchema(definition) || isObjectSchema(namedByRoot(definition)) ? mode : "prompt";
}

function isObjectSchema(schema: unknown): boolean {
  return isRecord(schema) && schema.type === "object";
}

/** What a root that is a reference names, as generators write recursive types. */
function namedByRoot(definition: unknown): unknown {
  const reference = isRecord(definition) ? rootReference(definition.$ref) : undefined;
  const named = reference && isRecord(definition) ? definition[reference.holder] : undefined;
  return reference && isRecord(named) && Object.hasOwn(named, reference.name) ? named[reference.name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
