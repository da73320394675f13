import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  Circuit,
  type EmbeddingModelSchema,
  type ModelSchema,
  type ModelStateSchema,
  StructuredOutput,
} from "../../gen/sluice/v1/model_pb.ts";
import type { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import type { EmbeddingCatalog, EmbeddingTarget } from "../core/embedding.ts";
import type { ModelCatalog, ModelTarget, StructuredOutputMode } from "../core/model.ts";
import type { CircuitState, ModelState, ModelStates } from "../core/model-state.ts";
import type { PriceBook } from "../core/money.ts";
import { priceMessage } from "../pipeline/estimate/price-message.ts";

const structuredOutputs: Readonly<Record<StructuredOutputMode, StructuredOutput>> = {
  json_schema: StructuredOutput.JSON_SCHEMA,
  json_object: StructuredOutput.JSON_OBJECT,
  prompt: StructuredOutput.PROMPT,
};

const circuits: Readonly<Record<CircuitState, Circuit>> = {
  closed: Circuit.CLOSED,
  open: Circuit.OPEN,
  half_open: Circuit.HALF_OPEN,
};

export interface ModelServicePorts {
  readonly models: ModelCatalog;
  readonly embeddingModels: EmbeddingCatalog;
  readonly prices: PriceBook;
  readonly states: ModelStates;
}

/** ModelService over the configured models. */
export function modelService(ports: ModelServicePorts): ServiceImpl<typeof ModelService> {
  return {
    listModels: () => ({
      models: ports.models.list().map((target) => shown(target, ports)),
      embeddingModels: ports.embeddingModels.list().map((target) => shownEmbedding(target, ports)),
    }),
  };
}

function shown(
  target: ModelTarget,
  { models, prices, states }: ModelServicePorts,
): MessageInitShape<typeof ModelSchema> {
  const price = prices.price(target.provider, target.providerModel);
  const state = states.state(target);
  return {
    name: target.alias,
    provider: target.provider.id,
    providerModel: target.providerModel,
    contextTokens: BigInt(target.contextTokens),
    maxOutputTokens: BigInt(target.maxOutputTokens),
    structuredOutput: structuredOutputs[target.structuredOutput],
    fallbacks: [...target.fallbacks],
    escalateTo: target.escalateTo ?? "",
    price: price && priceMessage(price),
    synthetic: target.synthetic,
    isDefault: target.alias === models.defaultAlias,
    description: target.description,
    state: state && shownState(state),
  };
}

function shownEmbedding(
  target: EmbeddingTarget,
  { embeddingModels, prices, states }: ModelServicePorts,
): MessageInitShape<typeof EmbeddingModelSchema> {
  const price = prices.price(target.provider, target.providerModel);
  const state = target.isBuiltIn ? undefined : states.state(target);
  return {
    name: target.alias,
    provider: target.provider.id,
    providerModel: target.providerModel,
    dimension: target.dimension,
    maxInputTokens: BigInt(target.maxInputTokens),
    price: price && priceMessage(price),
    isDefault: target.alias === embeddingModels.defaultAlias,
    description: target.description,
    state: state && shownState(state),
  };
}

function shownState(state: ModelState): MessageInitShape<typeof ModelStateSchema> {
  const { circuit, probeAfterMs, coolDownMs, ...counts } = state;
  return {
    ...counts,
    circuit: circuits[circuit],
    probeAfterMs: wholeMs(probeAfterMs),
    coolDownMs: wholeMs(coolDownMs),
  };
}

/** Rounded up, so that nobody who waits as long comes too early. */
function wholeMs(ms: number | undefined): bigint | undefined {
  return ms === undefined ? undefined : BigInt(Math.ceil(ms));
}
