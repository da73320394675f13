import { NumberText } from "./number-text.ts";

/** The most characters one rendering may make; a caller's lists must not multiply into gigabytes. */
const MAX_RENDERED_CHARACTERS = 33_554_432;

/** A rendering grew beyond its limit. */
export class RenderedTooLargeError extends Error {
  constructor() {
    super(`a prompt may have at most ${MAX_RENDERED_CHARACTERS} characters when it is filled in`);
    this.name = "RenderedTooLargeError";
  }
}

/** What one rendering may still print. */
export class RenderBudget {
  #left = MAX_RENDERED_CHARACTERS;

  /** @throws RenderedTooLargeError */
  spend(text: string): string {
    this.#left -= text.length;
    if (this.#left < 0) throw new RenderedTooLargeError();
    return text;
  }
}

/** A scalar as it appears in a prompt. Absent and null are empty. */
export function printScalar(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

/** `{{join list ", "}}`: the items with a text between them; absent lists are empty. */
export function joinItems(list: unknown, between: unknown): string {
  return Array.isArray(list) ? list.map(printScalar).join(printScalar(between)) : "";
}

/** `{{#if (eq a "b")}}`: whether two scalars are the same. Nothing is converted: 1 is not "1". */
export function areEqual(a: unknown, b: unknown): boolean {
  return (plain(a) ?? null) === (plain(b) ?? null);
}

/** `{{json value}}`: JSON, indented by two. Absent members are left out; numbers keep the digits that the caller wrote. */
export function printJson(value: unknown, indent = ""): string {
  if (value instanceof NumberText) return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((item) => inner + printJson(item, inner))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => `${inner}${JSON.stringify(name)}: ${printJson(member, inner)}`);
  const [open, close] = isList ? "[]" : "{}";
  return parts.length === 0 ? `${open}${close}` : `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}

/** A value as conditions see it. */
export function plain(value: unknown): unknown {
  return value instanceof NumberText ? value.value : value;
}
