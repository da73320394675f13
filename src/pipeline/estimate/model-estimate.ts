import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AttemptTokensSchema,
  type EstimatedCostsSchema,
  type ModelEstimateSchema,
  UnknownCostReason,
} from "../../../gen/sluice/v1/estimate_pb.ts";
import { type EstimatedAmounts, estimateAmounts, MILLION } from "../../core/estimate.ts";
import { invalidRequest } from "../../core/failure.ts";
import type { ModelTarget } from "../../core/model.ts";
import { divideHalfUp, exactCost, type Price, type PriceBook } from "../../core/money.ts";
import type { Factors } from "./factors.ts";
import { priceMessage } from "./price-message.ts";
import type { PromptSizes } from "./prompt-sizes.ts";

type ModelEstimate = MessageInitShape<typeof ModelEstimateSchema>;

const MAX_INT64 = 2n ** 63n - 1n;

/** @throws SluiceError INVALID_REQUEST where an amount is larger than the contract's integers. */
export function estimateModel(
  prices: PriceBook,
  target: ModelTarget,
  sizes: PromptSizes,
  factors: Factors,
): ModelEstimate {
  const price = prices.price(target.provider, target.providerModel);
  const model = {
    model: target.alias,
    provider: target.provider.id,
    providerModel: target.providerModel,
    synthetic: target.synthetic,
    price: price && priceMessage(price),
  };
  const misfit = misfitOf(target, sizes, factors);
  // A sample that leaves no room is not counted to its end; all other tokens are known.
  const tokens = sizes.tooLarge === undefined ? tokensMessage(sizes, factors) : undefined;
  if (misfit !== undefined) return { ...model, tokens, outcome: unknown(UnknownCostReason.DOES_NOT_FIT, misfit) };
  if (price === undefined) {
    const what = `no price is known for ${target.providerModel} of ${target.provider.id}: set one in prices.override`;
    return { ...model, tokens, outcome: unknown(UnknownCostReason.NO_PRICE, what) };
  }
  const amounts = estimateAmounts(samplesOf(sizes, factors, price), {
    requestsPerDay: factors.requestsPerDay,
    cacheHitMillionths: factors.cacheHits.value,
    attemptsMillionths: factors.attemptsPerCall.value,
  });
  return { ...model, tokens, outcome: { case: "costs", value: costsMessage(target, amounts) } };
}

function misfitOf(target: ModelTarget, sizes: PromptSizes, factors: Factors): string | undefined {
  const { contextTokens, maxOutputTokens } = target;
  const completion = factors.completionTokens.value;
  if (sizes.tooLarge !== undefined) {
    return `sample ${sizes.tooLarge} and room for an answer do not fit the model's ${contextTokens} tokens`;
  }
  if (completion > BigInt(maxOutputTokens)) {
    return `the model answers with at most ${maxOutputTokens} tokens, and ${completion} are expected`;
  }
  const longest = largest(sizes.promptTokens) + completion;
  if (longest > BigInt(contextTokens)) {
    return `prompt and answer have ${longest} tokens and do not fit the model's ${contextTokens}`;
  }
  return undefined;
}

function unknown(reason: UnknownCostReason, description: string): NonNullable<ModelEstimate["outcome"]> {
  return { case: "unknown", value: { reason, description } };
}

function samplesOf(sizes: PromptSizes, { completionTokens, reasoningTokens }: Factors, price: Price) {
  const answer = { completionTokens: Number(completionTokens.value), reasoningTokens: Number(reasoningTokens) };
  const cached = cachedTokens(sizes);
  return sizes.promptTokens.map((promptTokens, index) =>
    exactCost(
      { ...answer, promptTokens: Number(promptTokens), cachedPromptTokens: Number(cached[index] ?? 0n) },
      price,
    ),
  );
}

function cachedTokens({ promptTokens, cached }: PromptSizes): bigint[] {
  return promptTokens.map((tokens) => divideHalfUp(tokens * cached.value, MILLION));
}

function tokensMessage(sizes: PromptSizes, factors: Factors): MessageInitShape<typeof AttemptTokensSchema> {
  const { promptTokens, source, cached } = sizes;
  const sum = promptTokens.reduce((total, tokens) => total + tokens, 0n);
  return {
    promptTokens: [...promptTokens],
    cachedPromptTokens: cachedTokens(sizes),
    minPromptTokens: promptTokens.reduce((a, b) => (b < a ? b : a)),
    meanPromptTokensMillionths: divideHalfUp(sum * MILLION, BigInt(promptTokens.length)),
    maxPromptTokens: largest(promptTokens),
    completionTokens: factors.completionTokens.value,
    reasoningTokens: factors.reasoningTokens,
    promptSource: source,
    cachedPromptSource: cached.source,
    completionSource: factors.completionTokens.source,
  };
}

function largest(tokens: readonly bigint[]): bigint {
  return tokens.reduce((a, b) => (b > a ? b : a));
}

function costsMessage(target: ModelTarget, amounts: EstimatedAmounts): MessageInitShape<typeof EstimatedCostsSchema> {
  if (amounts.monthAtTenTimes.totalNanoUsd > MAX_INT64) {
    const what = `a month at ten times the requests costs more than 9,223,372,036 USD with ${target.alias}, which no field holds`;
    throw invalidRequest("input.requests_per_day", "int64", what);
  }
  return amounts;
}
