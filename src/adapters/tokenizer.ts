import type { TokenCounter } from "../core/tokens.ts";
import { createFamilyFactors } from "./tokenizer/family-factors.ts";
import { pieces } from "./tokenizer/pieces.ts";

/** What a whole text may cost: longer ones are sampled, so that one request never holds the process for long. */
export const MAX_EXACT_CHARACTERS = 262_144;
const SAMPLE_CHARACTERS = 4_096;

/**
 * Bytes of UTF-8 per token before the vocabulary is loaded. English prose has about 4.5 and Chinese about 4, so that
 * the estimate errs towards too many tokens.
 */
const ESTIMATED_BYTES_PER_TOKEN = 3.5;

/** Special tokens in the text (`<|endoftext|>`) are plain text: by default the library throws on them. */
const PLAIN_TEXT = { disallowedSpecial: new Set<string>() };

type CountPiece = (piece: string) => number;

/**
 * Counts tokens by o200k_base times a factor per model family, corrected by what providers report.
 *
 * The vocabulary takes about 0.2 to 0.4 s to load and 70 MB. `warm()` loads it and resolves when it is in use; it may
 * be called any number of times. Until then `count` does not wait but estimates from the number of bytes.
 *
 * Texts of more than `MAX_EXACT_CHARACTERS` are counted by evenly spaced samples. The same text gives the same count
 * as long as the family's factor stands.
 */
export function createTokenCounter(): TokenCounter & { warm(): Promise<void> } {
  const factors = createFamilyFactors();
  let countPiece: CountPiece | undefined;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
    countTokens("The first call builds the lookup tables.", PLAIN_TEXT);
    countPiece = (piece) => countTokens(piece, PLAIN_TEXT);
  }

  return {
    warm() {
      loading ??= load();
      return loading;
    },
    count(text, family) {
      if (text === "") return 0;
      const tokens = countPiece ? countBounded(text, countPiece) : estimate(text);
      return Math.max(1, Math.round(tokens * factors.factor(family)));
    },
    observe: factors.observe,
  };
}

function estimate(text: string): number {
  return Buffer.byteLength(text) / ESTIMATED_BYTES_PER_TOKEN;
}

function countBounded(text: string, countPiece: CountPiece): number {
  if (text.length <= MAX_EXACT_CHARACTERS) return countWhole(text, countPiece);
  const samples = MAX_EXACT_CHARACTERS / SAMPLE_CHARACTERS;
  const stride = (text.length - SAMPLE_CHARACTERS) / (samples - 1);
  let tokens = 0;
  for (let i = 0; i < samples; i++) {
    const start = Math.floor(i * stride);
    tokens += countWhole(text.slice(start, start + SAMPLE_CHARACTERS), countPiece);
  }
  return tokens * (text.length / MAX_EXACT_CHARACTERS);
}

function countWhole(text: string, countPiece: CountPiece): number {
  let tokens = 0;
  for (const piece of pieces(text)) tokens += countPiece(piece);
  return tokens;
}
