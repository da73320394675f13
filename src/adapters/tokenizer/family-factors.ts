import type { TokenCounter } from "../../core/tokens.ts";

/**
 * Tokens of a family per token of o200k_base, before anything was observed. Only OpenAI publishes an exact tokenizer
 * for its models; the others are starting points that lean upwards, because a prompt counted too large loses a chunk
 * while one counted too small is refused by the provider.
 */
const BASE_FACTORS: ReadonlyMap<string, number> = new Map([
  ["openai", 1],
  // Estimates, by how much smaller than o200k's 200,000 entries a family's vocabulary is; `observe` corrects them.
  ["anthropic", 1.2],
  ["gemini", 1.07],
  ["llama", 1.05],
  ["mistral", 1.1],
  ["qwen", 1.1],
  ["deepseek", 1.2],
]);

const MAX_FAMILIES = 64;

/** Below this many tokens a provider's fixed overhead per request is a large part of what it reports. */
const MIN_OBSERVED_TOKENS = 64;

/**
 * How far one report moves the factor, as an exponent of reported/counted. Reports come in for prompts that were
 * counted before the last correction, up to the number of calls in flight; a step well below one over that number
 * keeps the loop from overshooting.
 */
const STEP = 0.01;

/** One report never counts as more than a doubling: a provider that counts images or tools must not teach us about text. */
const MAX_RATIO = 2;

/**
 * Factors per model family. `observe` moves a family's factor by at most 0.7 % per report and never below half or above
 * double its base; reports for prompts of fewer than 64 tokens are ignored. At most 64 families are learned.
 */
export function createFamilyFactors(): { factor(family: string): number; observe: TokenCounter["observe"] } {
  const learned = new Map<string, number>();
  const factor = (family: string) => learned.get(family) ?? baseFactor(family);
  return {
    factor,
    observe(family, counted, reported) {
      if (!(counted >= MIN_OBSERVED_TOKENS && reported >= MIN_OBSERVED_TOKENS && Number.isFinite(reported / counted))) {
        return;
      }
      if (!learned.has(family) && learned.size >= MAX_FAMILIES) return;
      const base = baseFactor(family);
      const ratio = clamp(reported / counted, 1 / MAX_RATIO, MAX_RATIO);
      learned.set(family, clamp(factor(family) * ratio ** STEP, base / 2, base * 2));
    },
  };
}

function baseFactor(family: string): number {
  return BASE_FACTORS.get(family) ?? 1;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
