import type { LongPromptPrices, Price, TokenPrices } from "../../core/money.ts";
import { nanoUsdOf } from "./decimal.ts";

/** USD as a number or as decimal text. */
type Usd = number | string;

/** What tokens cost, in USD per million. What is absent costs what its whole costs. */
interface TokenPriceOverride {
  readonly prompt_usd_per_million: Usd;
  /** Default: the prompt's price. */
  readonly cached_prompt_usd_per_million?: Usd | undefined;
  /** Default: the prompt's price. */
  readonly cache_write_usd_per_million?: Usd | undefined;
  readonly completion_usd_per_million: Usd;
  /** Default: the completion's price. */
  readonly reasoning_usd_per_million?: Usd | undefined;
}

/** A price that the operator sets. */
export interface PriceOverride extends TokenPriceOverride {
  /** Id of a provider of the configuration. Absent: every provider. */
  readonly provider?: string | undefined;
  /** The provider's name of the model. */
  readonly model: string;
  /** Default: no fee. */
  readonly usd_per_thousand_requests?: Usd | undefined;
  /** In any order. Default: the length of a prompt makes no difference. */
  readonly long_prompts?: readonly (TokenPriceOverride & { readonly above_prompt_tokens: number })[] | undefined;
}

export type OverrideIndex = ReadonlyMap<string, Price>;

/** @throws RangeError for values that are no prices, and for two overrides of the same model. */
export function indexOverrides(overrides: readonly PriceOverride[]): OverrideIndex {
  const index = new Map<string, Price>();
  for (const [i, override] of overrides.entries()) {
    const key = keyOf(override.provider, override.model);
    if (index.has(key)) throw new RangeError(`prices.override[${i}]: ${key} already has an override`);
    index.set(key, toPrice(override, `prices.override[${i}]`));
  }
  return index;
}

/** The override for this provider's model, else for the model of any provider. */
export function findOverride(index: OverrideIndex, providerId: string, model: string): Price | undefined {
  return index.get(keyOf(providerId, model)) ?? index.get(keyOf(undefined, model));
}

function keyOf(provider: string | undefined, model: string): string {
  return JSON.stringify([provider ?? null, model]);
}

function toPrice(override: PriceOverride, path: string): Price {
  const fee = override.usd_per_thousand_requests;
  const longPrompts = (override.long_prompts ?? [])
    .map((prices, index): LongPromptPrices => {
      const { above_prompt_tokens: abovePromptTokens } = prices;
      return { ...tokenPrices(prices, `${path}.long_prompts[${index}]`), abovePromptTokens };
    })
    .sort((a, b) => a.abovePromptTokens - b.abovePromptTokens);
  return {
    ...tokenPrices(override, path),
    ...(fee !== undefined && { requestNanoUsdPerMillion: read(`${path}.usd_per_thousand_requests`, fee) * 1000n }),
    ...(longPrompts.length > 0 && { longPrompts }),
    version: "override",
  };
}

function tokenPrices(override: TokenPriceOverride, path: string): TokenPrices {
  const { prompt_usd_per_million: prompt, cache_write_usd_per_million: written } = override;
  const { reasoning_usd_per_million: reasoning } = override;
  const cached = override.cached_prompt_usd_per_million ?? prompt;
  return {
    promptNanoUsdPerMillionTokens: read(`${path}.prompt_usd_per_million`, prompt),
    cachedPromptNanoUsdPerMillionTokens: read(`${path}.cached_prompt_usd_per_million`, cached),
    ...(written !== undefined && {
      cacheWriteNanoUsdPerMillionTokens: read(`${path}.cache_write_usd_per_million`, written),
    }),
    completionNanoUsdPerMillionTokens: read(`${path}.completion_usd_per_million`, override.completion_usd_per_million),
    ...(reasoning !== undefined && {
      reasoningNanoUsdPerMillionTokens: read(`${path}.reasoning_usd_per_million`, reasoning),
    }),
  };
}

function read(path: string, value: Usd): bigint {
  try {
    return nanoUsdOf(value);
  } catch (error) {
    throw new RangeError(`${path}: must be a decimal number of USD, 0 or more`, { cause: error });
  }
}
