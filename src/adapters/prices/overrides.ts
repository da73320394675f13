import type { Price } from "../../core/money.ts";
import { nanoUsdPerMillionTokens } from "./decimal.ts";

/** A price that the operator sets, in USD per million tokens as a number or as decimal text. */
export interface PriceOverride {
  /** Id of a provider of the configuration. Absent: every provider. */
  readonly provider?: string | undefined;
  /** The provider's name of the model. */
  readonly model: string;
  readonly prompt_usd_per_million: number | string;
  /** Default: the prompt's price. */
  readonly cached_prompt_usd_per_million?: number | string | undefined;
  readonly completion_usd_per_million: number | string;
}

export type OverrideIndex = ReadonlyMap<string, Price>;

/** @throws RangeError for values that are no prices, and for two overrides of the same model. */
export function indexOverrides(overrides: readonly PriceOverride[]): OverrideIndex {
  const index = new Map<string, Price>();
  for (const [i, override] of overrides.entries()) {
    const key = keyOf(override.provider, override.model);
    if (index.has(key)) throw new RangeError(`prices.override[${i}]: ${key} already has an override`);
    index.set(key, toPrice(override, i));
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

function toPrice(override: PriceOverride, index: number): Price {
  const read = (field: string, value: number | string) => {
    try {
      return nanoUsdPerMillionTokens(value);
    } catch (error) {
      throw new RangeError(`prices.override[${index}].${field}: must be a decimal number of USD, 0 or more`, {
        cause: error,
      });
    }
  };
  const prompt = override.prompt_usd_per_million;
  return {
    promptNanoUsdPerMillionTokens: read("prompt_usd_per_million", prompt),
    cachedPromptNanoUsdPerMillionTokens: read(
      "cached_prompt_usd_per_million",
      override.cached_prompt_usd_per_million ?? prompt,
    ),
    completionNanoUsdPerMillionTokens: read("completion_usd_per_million", override.completion_usd_per_million),
    version: "override",
  };
}
