import type { Failure } from "../../core/failure.ts";

/** Tokens of the parts of a prompt that have to fit, by the names that `ContextOverflowDetail` uses. */
export type PartSizes = Readonly<Record<string, number>>;

/** The failure of a prompt that does not fit, although everything that may be dropped was. */
export function overflowFailure(
  parts: PartSizes,
  room: { readonly reservedOutputTokens: number; readonly windowTokens: number },
  reportedByProvider: boolean,
): Failure {
  const [largestPart, largestPartTokens] = Object.entries(parts).reduce((a, b) => (b[1] > a[1] ? b : a));
  const promptTokens = Object.values(parts).reduce((sum, tokens) => sum + tokens, 0);
  return { reason: "CONTEXT_OVERFLOW", promptTokens, ...room, largestPart, largestPartTokens, reportedByProvider };
}
