import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ModelPriceSchema } from "../../../gen/sluice/v1/model_pb.ts";
import type { Price, TokenPrices } from "../../core/money.ts";

/** A price as the contract shows it. */
export function priceMessage(price: Price): MessageInitShape<typeof ModelPriceSchema> {
  return {
    ...tokenPrices(price),
    requestNanoUsdPerMillion: price.requestNanoUsdPerMillion,
    longPrompts: (price.longPrompts ?? []).map((prices) => ({
      ...tokenPrices(prices),
      abovePromptTokens: BigInt(prices.abovePromptTokens),
    })),
    version: price.version,
  };
}

function tokenPrices(prices: TokenPrices) {
  return {
    promptNanoUsdPerMillionTokens: prices.promptNanoUsdPerMillionTokens,
    cachedPromptNanoUsdPerMillionTokens: prices.cachedPromptNanoUsdPerMillionTokens,
    cacheWriteNanoUsdPerMillionTokens: prices.cacheWriteNanoUsdPerMillionTokens,
    completionNanoUsdPerMillionTokens: prices.completionNanoUsdPerMillionTokens,
    reasoningNanoUsdPerMillionTokens: prices.reasoningNanoUsdPerMillionTokens,
  };
}
