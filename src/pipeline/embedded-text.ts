import type { EmbeddingTarget } from "../core/embedding.ts";
import type { TokenCounter } from "../core/tokens.ts";

const MAX_TITLE_CHARACTERS = 120;
const MAX_HEADINGS_CHARACTERS = 240;

/** What of a chunk is embedded. */
export interface EmbeddableChunk {
  readonly title: string;
  readonly headingPath: readonly string[];
  readonly text: string;
}

/**
 * The text whose vector stands for a chunk: the document's title and the headings above the chunk, a line each, an empty
 * line, and the chunk. A chunk seldom says what it is about; they do. Long ones are cut, the innermost heading last, so that
 * they never outweigh the chunk. Where all of it is more than the model takes, the chunk stands alone.
 */
export function embeddedText(chunk: EmbeddableChunk, fits: (text: string) => boolean): string {
  const { text } = chunk;
  const title = cut(chunk.title, MAX_TITLE_CHARACTERS);
  const headings = innermost(chunk.headingPath.filter((heading) => heading !== chunk.title));
  const lines = [title, headings.join(" > ")].filter((line) => line !== "");
  if (lines.length === 0) return text;
  const whole = `${lines.join("\n")}\n\n${text}`;
  return fits(whole) ? whole : text;
}

function innermost(path: readonly string[]): string[] {
  const kept: string[] = [];
  let left = MAX_HEADINGS_CHARACTERS;
  for (const heading of path.toReversed()) {
    if (left <= 0) break;
    const shown = cut(heading, left);
    kept.unshift(shown);
    left -= shown.length;
  }
  return kept;
}

/** The beginning of a text, without half of a surrogate pair at its end. */
function cut(text: string, length: number): string {
  const beginning = text.slice(0, length);
  return beginning.isWellFormed() ? beginning : beginning.slice(0, -1);
}

/** No family has more tokens for a byte, whatever its counts were corrected by. */
const MAX_TOKENS_PER_BYTE = 3;

/** Whether a model takes a text. Only what may be too long is counted. */
export function fitsModel(counter: TokenCounter, { family, maxInputTokens }: EmbeddingTarget) {
  return (text: string): boolean =>
    Buffer.byteLength(text) * MAX_TOKENS_PER_BYTE <= maxInputTokens || counter.count(text, family) <= maxInputTokens;
}
