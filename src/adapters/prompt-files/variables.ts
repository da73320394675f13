import { type FieldViolation, SluiceError } from "../../core/failure.ts";
import type { JsonSchema } from "../../core/json-schema.ts";
import type { PromptVariables } from "../../core/prompt.ts";
import { NumberText } from "./number-text.ts";
import type { Shape } from "./shape.ts";

/** Names in a field path are the caller's own; they are quoted up to this length. */
const MAX_NAME_CHARACTERS = 64;

/** @throws SluiceError INVALID_REQUEST with a path below `variables` for each violation; values are never quoted. */
export function checkVariables(schema: JsonSchema, value: unknown): void {
  const violations = schema.validate(value);
  if (violations.length === 0) return;
  throw new SluiceError({
    reason: "INVALID_REQUEST",
    violations: violations.map(
      ({ path, rule, expected }): FieldViolation => ({
        field: fieldPath(value, path),
        rule,
        description: `expected ${expected}`,
      }),
    ),
  });
}

/** A JSON pointer as clients write the field: `variables.lines[0].sku`. */
function fieldPath(value: unknown, pointer: string): string {
  let at = value;
  let path = "variables";
  for (const segment of pointer.split("/").slice(1)) {
    const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(at)) path += `[${name}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) path += `.${name}`;
    else path += `[${JSON.stringify(name.slice(0, MAX_NAME_CHARACTERS))}]`;
    at = typeof at === "object" && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  }
  return path;
}

/**
 * Copies valid variables for a template. A declared member that is absent becomes an own `undefined`, which prints as
 * nothing and is false in `#if`, where strict templates would otherwise throw. A number whose digits a double would
 * change becomes a `NumberText`.
 */
export function fillVariables(shape: Shape, { value, spelled }: PromptVariables): Record<string, unknown> {
  const filled = fill(shape, value, spelled);
  return Object.assign(emptyRecord(), filled);
}

function fill(shape: Shape | undefined, value: unknown, spelled: unknown): unknown {
  if (typeof value === "number") return typeof spelled === "string" ? new NumberText(value, spelled) : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const spelledItem = (index: number) => (Array.isArray(spelled) ? spelled[index] : undefined);
    return unlikeAllTexts(value.map((item, index) => fill(shape?.items, item, spelledItem(index))));
  }
  const filled = emptyRecord();
  for (const name of shape?.memberNames ?? []) filled[name] = undefined;
  for (const [name, member] of Object.entries(value)) {
    const memberShape = shape?.member(name)?.shape ?? shape?.items;
    filled[name] = fill(memberShape, member, ownMember(spelled, name));
  }
  return filled;
}

function ownMember(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/**
 * Handlebars decides with `!=` whether a block's value is the very value it stands in. A list `["x"]` and its item "x"
 * would be taken for the same, and so would an object and the text "[object Object]". As NaN they are equal to nothing.
 */
const UNLIKE_ALL_TEXTS = Object.freeze(Object.assign(Object.create(null), { [Symbol.toPrimitive]: () => Number.NaN }));

/** Inherits nothing that a name in a template could reach. */
function emptyRecord(): Record<string, unknown> {
  return Object.create(UNLIKE_ALL_TEXTS);
}

function unlikeAllTexts(list: unknown[]): unknown[] {
  return Object.defineProperty(list, Symbol.toPrimitive, { value: () => Number.NaN });
}
