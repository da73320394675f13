import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type ModelSchema, StructuredOutput } from "../../gen/sluice/v1/model_pb.ts";
import type { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import type { ModelCatalog, ModelTarget, StructuredOutputMode } from "../core/model.ts";
import type { PriceBook } from "../core/money.ts";

const structuredOutputs: Readonly<Record<StructuredOutputMode, StructuredOutput>> = {
  json_schema: StructuredOutput.JSON_SCHEMA,
  json_object: StructuredOutput.JSON_OBJECT,
  prompt: StructuredOutput.PROMPT,
};

export interface ModelServicePorts {
  readonly models: ModelCatalog;
  readonly prices: PriceBook;
}

/** ModelService over the configured models. */
export function modelService({ models, prices }: ModelServicePorts): ServiceImpl<typeof ModelService> {
  return {
    listModels: () => ({ models: models.list().map((target) => shown(target, models.defaultAlias, prices)) }),
  };
}

function shown(target: ModelTarget, defaultAlias: string, prices: PriceBook): MessageInitShape<typeof ModelSchema> {
  const price = prices.price(target.provider, target.providerModel);
  return {
    name: target.alias,
    provider: target.provider.id,
    providerModel: target.providerModel,
    contextTokens: BigInt(target.contextTokens),
    maxOutputTokens: BigInt(target.maxOutputTokens),
    structuredOutput: structuredOutputs[target.structuredOutput],
    fallbacks: [...target.fallbacks],
    escalateTo: target.escalateTo ?? "",
    price: price && {
      promptNanoUsdPerMillionTokens: price.promptNanoUsdPerMillionTokens,
      cachedPromptNanoUsdPerMillionTokens: price.cachedPromptNanoUsdPerMillionTokens,
      completionNanoUsdPerMillionTokens: price.completionNanoUsdPerMillionTokens,
      version: price.version,
    },
    synthetic: target.synthetic,
    isDefault: target.alias === defaultAlias,
    description: target.description,
  };
}
