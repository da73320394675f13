const CHARACTERS_PER_STEP = 256;

/**
 * A text that is the same for two JSON values exactly when JSON Schema calls them equal: keys in any order, 1 and 1.0 the
 * same. Recursive, so only for values whose depth is bounded.
 * @param spend told the steps of work; see budget.ts.
 */
export function equalityKey(value: unknown, spend?: (steps: number) => void): string {
  if (typeof value === "string") {
    if (value.length > CHARACTERS_PER_STEP) spend?.(value.length / CHARACTERS_PER_STEP);
    return JSON.stringify(value);
  }
  if (typeof value === "number") return String(value === 0 ? 0 : value);
  if (typeof value !== "object" || value === null) return String(value);
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  spend?.(1 + size);
  if (Array.isArray(value)) return `[${value.map((item) => equalityKey(item, spend)).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${equalityKey(member, spend)}`).join(",")}}`;
}
