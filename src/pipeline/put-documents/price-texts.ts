import { create } from "@bufbuild/protobuf";
import { type TokenUsage, TokenUsageSchema } from "../../../gen/sluice/v1/token_usage_pb.ts";
import type { EmbeddingTarget } from "../../core/embedding.ts";
import { costNanoUsd, type PriceBook } from "../../core/money.ts";
import type { TokenCounter } from "../../core/tokens.ts";
import { type ChunkText, makeRoom } from "./chunk-texts.ts";

/** What embedding texts would cost, if none of their vectors were cached. Counting makes room for other calls. */
export async function priceTexts(
  { counter, prices }: { readonly counter: TokenCounter; readonly prices: PriceBook },
  target: EmbeddingTarget,
  texts: readonly ChunkText[],
  signal: AbortSignal,
): Promise<{ readonly usage: TokenUsage; readonly costNanoUsd?: bigint }> {
  let promptTokens = 0;
  for (const [index, { text }] of texts.entries()) {
    await makeRoom(index, signal);
    promptTokens += counter.count(text, target.family);
  }
  const price = prices.price(target.provider, target.providerModel);
  const usage = countedUsage(promptTokens);
  if (promptTokens === 0 || target.isBuiltIn) return { usage, costNanoUsd: 0n };
  if (!price) return { usage };
  const tokens = { promptTokens, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  return { usage, costNanoUsd: costNanoUsd(tokens, price) };
}

/** Tokens that no provider counted. */
export function countedUsage(promptTokens: number): TokenUsage {
  return create(TokenUsageSchema, { promptTokens: BigInt(promptTokens), estimated: promptTokens > 0 });
}
