import { isObject } from "./untrusted.ts";

/**
 * The categories that fired, joined by commas, from Azure's `content_filter_result(s)`: `{"hate": {"filtered": false},
 * "jailbreak": {"filtered": true}}`. Empty where none did.
 */
export function filterCategory(results: unknown): string {
  if (!isObject(results)) return "";
  return Object.entries(results)
    .filter(([, result]) => isObject(result) && result.filtered === true)
    .map(([category]) => category.slice(0, 50))
    .slice(0, 10)
    .join(",");
}

/** True where Azure says that its filter was down and the answer passed unchecked. */
export function wasFilterDown(results: unknown): boolean {
  return isObject(results) && isObject(results.error);
}
