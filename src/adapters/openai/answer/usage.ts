import type OpenAI from "openai";
import type { TokenCounts } from "../../../core/money.ts";
import { type Untrusted, untrusted } from "../untrusted.ts";

/** No request of today comes near it; a larger number is a provider's mistake, and would be charged. */
const MAX_TOKENS = 100_000_000;

/**
 * The token counts that a provider reported, or `undefined` where they cannot be trusted: a prompt or completion count
 * that is missing, negative, no integer, no number, or beyond 10^8 means "not reported". Of the details, a wrong one
 * counts as 0, and a part is never larger than its whole. Tokens that the provider counts apart from the prompt or the
 * completion that they are a part of are added to it.
 */
export function readUsage(value: unknown): TokenCounts | undefined {
  const usage = untrusted<OpenAI.CompletionUsage>(value);
  const prompt = tokenCount(usage.prompt_tokens);
  const completion = tokenCount(usage.completion_tokens);
  if (prompt === undefined || completion === undefined) return undefined;
  const promptDetails = untrusted<PromptDetails>(usage.prompt_tokens_details);
  const completionDetails = untrusted<OpenAI.CompletionUsage.CompletionTokensDetails>(usage.completion_tokens_details);
  const cached = tokenCount(promptDetails.cached_tokens) ?? deepSeekCachedTokens(usage);
  const written = tokenCount(promptDetails.cache_write_tokens) ?? 0;
  const reasoning = tokenCount(completionDetails.reasoning_tokens) ?? 0;
  const apart = countedApart((tokenCount(usage.total_tokens) ?? 0) - prompt - completion, {
    cached,
    written,
    reasoning,
  });
  const promptTokens = prompt + apart.prompt;
  const completionTokens = completion + apart.completion;
  const cachedPromptTokens = Math.min(cached, promptTokens);
  const cacheWriteTokens = Math.min(written, promptTokens - cachedPromptTokens);
  return {
    promptTokens,
    cachedPromptTokens,
    ...(cacheWriteTokens > 0 && { cacheWriteTokens }),
    completionTokens,
    reasoningTokens: Math.min(Math.max(reasoning, apart.completion), completionTokens),
  };
}

/** `cache_write_tokens` is newer than the package's types. */
type PromptDetails = OpenAI.CompletionUsage.PromptTokensDetails & { readonly cache_write_tokens?: number };

/**
 * The tokens that a provider's total has beyond prompt and completion. xAI counts reasoning apart from the completion;
 * Gemini's endpoint too, without saying so in any detail; proxies of Anthropic what was read from or written to the cache
 * apart from the prompt. All of it is paid.
 */
function countedApart(
  excess: number,
  { cached, written, reasoning }: { readonly cached: number; readonly written: number; readonly reasoning: number },
): { readonly prompt: number; readonly completion: number } {
  if (excess <= 0) return { prompt: 0, completion: 0 };
  if (excess === reasoning) return { prompt: 0, completion: excess };
  if (excess === cached + written || excess === cached || excess === written) return { prompt: excess, completion: 0 };
  // Not where the reasoning is known and is another number: then the total counts something else.
  return { prompt: 0, completion: reasoning === 0 ? excess : 0 };
}

/** DeepSeek reports cache hits beside the details rather than in them. */
function deepSeekCachedTokens(usage: Untrusted<OpenAI.CompletionUsage>): number {
  return tokenCount(untrusted<{ prompt_cache_hit_tokens: number }>(usage).prompt_cache_hit_tokens) ?? 0;
}

function tokenCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS ? value : undefined;
}
