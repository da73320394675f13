import { type FieldViolation, SluiceError } from "../../core/failure.ts";

/**
 * Refuses ids and prefixes that no document can have, and that databases do not take: rules of the proto cannot tell
 * halves of surrogate pairs.
 * @param texts by the paths of their fields.
 * @throws SluiceError INVALID_REQUEST.
 */
export function mustBeStorable(texts: Readonly<Record<string, string>>): void {
  const violations = Object.entries(texts).flatMap(([field, text]): FieldViolation[] => {
    if (text.includes("\0")) return [{ field, rule: "string.not_contains", description: "must not contain NUL" }];
    if (text.isWellFormed()) return [];
    return [{ field, rule: "string.well_formed", description: "must not contain half of a surrogate pair" }];
  });
  if (violations.length > 0) throw new SluiceError({ reason: "INVALID_REQUEST", violations: violations.slice(0, 16) });
}
