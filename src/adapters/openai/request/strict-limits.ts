import { isObject } from "../untrusted.ts";

/** Limits of OpenAI's strict mode (Structured Outputs guide, "Supported schemas"), over the whole schema. */
const MAX_PROPERTIES = 5_000;
const MAX_CHARACTERS = 120_000;
const MAX_ENUM_VALUES = 1_000;
/** An enum of more than 250 texts may hold no more characters than this. */
const MAX_LARGE_ENUM_CHARACTERS = 15_000;
const LARGE_ENUM_VALUES = 250;

/** Counts what one schema holds of the things that the strict mode limits. */
export class StrictTotals {
  #properties = 0;
  #enumValues = 0;
  #characters = 0;

  /** Counts one schema object, without those below it. False where the whole has become too large. */
  add(schema: Readonly<Record<string, unknown>>): boolean {
    const names = keysOf(schema.properties);
    const choices = Array.isArray(schema.enum) ? schema.enum : [];
    const choiceCharacters = charactersOf(choices);
    this.#properties += names.length;
    this.#enumValues += choices.length;
    this.#characters +=
      charactersOf([...names, ...keysOf(schema.$defs), ...keysOf(schema.definitions), schema.const]) + choiceCharacters;
    return (
      this.#properties <= MAX_PROPERTIES &&
      this.#enumValues <= MAX_ENUM_VALUES &&
      this.#characters <= MAX_CHARACTERS &&
      (choices.length <= LARGE_ENUM_VALUES || choiceCharacters <= MAX_LARGE_ENUM_CHARACTERS)
    );
  }
}

function keysOf(value: unknown): string[] {
  return isObject(value) ? Object.keys(value) : [];
}

function charactersOf(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
}
