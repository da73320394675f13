import { exactCost, type Price, roundToNanoUsd, type TokenCounts } from "../core/money.ts";

/**
 * The most that an attempt can cost whose prompt has so many tokens, and its answer at most so many: each side at the
 * dearest price of its kinds, for nobody knows yet what is cached or thought.
 */
export function maxCostNanoUsd(promptTokens: number, maxOutputTokens: number, price: Price): bigint {
  const plain: TokenCounts = {
    promptTokens,
    cachedPromptTokens: 0,
    completionTokens: maxOutputTokens,
    reasoningTokens: 0,
  };
  const costs = [
    plain,
    { ...plain, cacheWriteTokens: promptTokens },
    { ...plain, cachedPromptTokens: promptTokens },
    { ...plain, reasoningTokens: maxOutputTokens },
  ].map((tokens) => exactCost(tokens, price));
  const input = largest(costs.map(({ inputFemtoUsd }) => inputFemtoUsd));
  const output = largest(costs.map(({ outputFemtoUsd }) => outputFemtoUsd));
  return roundToNanoUsd(input + output);
}

function largest(amounts: readonly bigint[]): bigint {
  return amounts.reduce((most, amount) => (amount > most ? amount : most), 0n);
}
