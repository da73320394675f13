/**
 * A text that is the same for two JSON values exactly when JSON Schema calls them equal: keys in any order, 1 and 1.0 the
 * same. Recursive, so only for values whose depth is bounded.
 */
export function equalityKey(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return String(value === 0 ? 0 : value);
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(equalityKey).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${equalityKey(member)}`).join(",")}}`;
}
