import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { InvalidSchemaError, type SchemaViolation } from "../../../src/core/json-schema.ts";

const schemas = createJsonSchemas();

/** The violations of a value under a schema, given as an object or as text. */
export function check(schema: unknown, value: unknown): readonly SchemaViolation[] {
  return schemas.compile(typeof schema === "string" ? schema : JSON.stringify(schema)).validate(value);
}

export function isValid(schema: unknown, value: unknown): boolean {
  return check(schema, value).length === 0;
}

/** Pointer and rule of the error that compiling ends in; undefined where it does not. */
export function refusal(schema: unknown): readonly [pointer: string, rule: string] | undefined {
  try {
    schemas.compile(typeof schema === "string" ? schema : JSON.stringify(schema));
    return undefined;
  } catch (error) {
    if (error instanceof InvalidSchemaError) return [error.pointer, error.rule];
    throw error;
  }
}
