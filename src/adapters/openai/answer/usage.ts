import type OpenAI from "openai";
import type { TokenCounts } from "../../../core/money.ts";
import { type Untrusted, untrusted } from "../untrusted.ts";

/** No request of today comes near it; a larger number is a provider's mistake, and would be charged. */
const MAX_TOKENS = 100_000_000;

/**
 * The token counts that a provider reported, or `undefined` where they cannot be trusted: a prompt or completion count
 * that is missing, negative, no integer, no number, or beyond 10^8 means "not reported". Of the details, a wrong one
 * counts as 0, and a part is never larger than its whole.
 */
export function readUsage(value: unknown): TokenCounts | undefined {
  const usage = untrusted<OpenAI.CompletionUsage>(value);
  const promptTokens = tokenCount(usage.prompt_tokens);
  const completionTokens = tokenCount(usage.completion_tokens);
  if (promptTokens === undefined || completionTokens === undefined) return undefined;
  const prompt = untrusted<OpenAI.CompletionUsage.PromptTokensDetails>(usage.prompt_tokens_details);
  const completion = untrusted<OpenAI.CompletionUsage.CompletionTokensDetails>(usage.completion_tokens_details);
  return {
    promptTokens,
    cachedPromptTokens: Math.min(tokenCount(prompt.cached_tokens) ?? deepSeekCachedTokens(usage), promptTokens),
    completionTokens,
    reasoningTokens: Math.min(tokenCount(completion.reasoning_tokens) ?? 0, completionTokens),
  };
}

/** DeepSeek reports cache hits beside the details rather than in them. */
function deepSeekCachedTokens(usage: Untrusted<OpenAI.CompletionUsage>): number {
  return tokenCount(untrusted<{ prompt_cache_hit_tokens: number }>(usage).prompt_cache_hit_tokens) ?? 0;
}

function tokenCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS ? value : undefined;
}
