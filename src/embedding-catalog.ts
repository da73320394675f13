import { DIMENSION } from "./adapters/local-embeddings/index.ts";
import { localEmbeddingAlias, localProviderId } from "./config/alias.ts";
import type { Config, EmbeddingModelConfig, ProviderConfig } from "./config.ts";
import type { EmbeddingCatalog, EmbeddingEndpoint, EmbeddingTarget } from "./core/embedding.ts";
import { SluiceError } from "./core/failure.ts";
import { nearestNames } from "./core/nearest-names.ts";

export interface EmbeddingCatalogParts {
  /** The built-in model. */
  readonly local: EmbeddingEndpoint;
  /** Called once for each provider that an alias names. */
  readonly endpointFor: (provider: ProviderConfig & { readonly id: string }) => EmbeddingEndpoint;
}

/** The embedding models of the configuration, in its order, then the built-in one. */
export function createEmbeddingCatalog(config: Config, parts: EmbeddingCatalogParts): EmbeddingCatalog {
  const endpoints = new Map<string, EmbeddingEndpoint>();
  const targets = new Map<string, EmbeddingTarget>();
  for (const [alias, model] of Object.entries(config.embedding_models)) {
    const provider = config.providers[model.provider];
    if (provider === undefined) throw new Error(`the checked configuration lacks the provider of ${alias}`);
    const endpoint = endpoints.get(model.provider) ?? parts.endpointFor({ id: model.provider, ...provider });
    endpoints.set(model.provider, endpoint);
    targets.set(alias, providerTarget(alias, model, provider, endpoint));
  }
  targets.set(localEmbeddingAlias, localTarget(parts.local));
  return {
    defaultAlias: config.defaults.embedding_model,
    list: () => [...targets.values()],
    resolve(alias) {
      const target = targets.get(alias);
      if (target !== undefined) return target;
      throw new SluiceError({ reason: "UNKNOWN_MODEL", name: alias, nearest: nearestNames(alias, targets.keys()) });
    },
  };
}

function providerTarget(
  alias: string,
  model: EmbeddingModelConfig,
  provider: ProviderConfig,
  endpoint: EmbeddingEndpoint,
): EmbeddingTarget {
  return {
    alias,
    provider: {
      id: model.provider,
      baseUrl: provider.base_url,
      settings: JSON.stringify([provider.query, provider.headers]),
    },
    providerModel: model.model,
    family: model.family,
    dimension: model.dimension,
    sendsDimension: model.send_dimension,
    maxInputTokens: model.max_input_tokens,
    maxBatchTexts: model.max_batch_texts,
    maxBatchTokens: model.max_batch_tokens,
    timeouts: {
      firstByteMs: provider.first_byte_timeout_ms,
      idleMs: provider.idle_timeout_ms,
      attemptMs: model.attempt_timeout_ms,
    },
    limits: { maxConcurrency: model.max_concurrency, maxQueue: model.max_queue },
    synthetic: false,
    isBuiltIn: false,
    description: "",
    endpoint,
  };
}

function localTarget(endpoint: EmbeddingEndpoint): EmbeddingTarget {
  return {
    alias: localEmbeddingAlias,
    provider: { id: localProviderId },
    providerModel: "universal-sentence-encoder-lite",
    family: "local",
    dimension: DIMENSION,
    sendsDimension: false,
    // It has no window: longer texts only take longer, and say less of each of their parts.
    maxInputTokens: 8_192,
    maxBatchTexts: 64,
    maxBatchTokens: 65_536,
    timeouts: { firstByteMs: 600_000, idleMs: 600_000, attemptMs: 600_000 },
    limits: { maxConcurrency: 4, maxQueue: 10_000 },
    synthetic: false,
    isBuiltIn: true,
    description: "Universal Sentence Encoder Lite: English, runs in the service itself, costs nothing.",
    endpoint,
  };
}
