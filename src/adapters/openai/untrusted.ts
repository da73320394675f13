/**
 * A value that should be a `T` but comes from the network: every field may be missing or of another type. The names of
 * the fields are still checked against the provider's contract, which the `openai` package describes.
 */
export type Untrusted<T> = { readonly [K in keyof T]?: unknown };

/** Views a parsed JSON value as an object with the fields of `T`. What is no object has no fields. */
export function untrusted<T>(value: unknown): Untrusted<T> {
  return isObject(value) ? (value as Untrusted<T>) : {};
}

/** True for JSON objects; false for arrays, null and everything else. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses JSON; `undefined` where the text is none. (JSON itself has no undefined.) */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
