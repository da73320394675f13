import type { EmbeddingTarget } from "../../core/embedding.ts";
import { type CacheKey, cacheKey, type OnlyFields } from "../cache-key/key.ts";

/** Raised when the meaning of stored vectors or of the key changes; old entries are then never found. */
const KEY_VERSION = "vector 1";

/**
 * The key of a text's vector: a hash over everything that can change its numbers. The text counts as it is, since
 * another spelling has another vector. Aliases of the same model share vectors.
 */
export function vectorKey(tenant: string, target: EmbeddingTarget, text: string): CacheKey {
  const { provider, providerModel, dimension, sendsDimension, ...notInKey } = target;
  // How a vector is fetched, counted or described changes none of its numbers.
  notInKey satisfies OnlyFields<
    typeof notInKey,
    | "alias"
    | "family"
    | "maxInputTokens"
    | "maxBatchTexts"
    | "maxBatchTokens"
    | "timeouts"
    | "limits"
    | "synthetic"
    | "isBuiltIn"
    | "description"
    | "endpoint"
  >;
  const { id, baseUrl, settings, ...restOfProvider } = provider;
  restOfProvider satisfies Record<string, never>;
  return cacheKey({
    version: KEY_VERSION,
    tenant,
    provider: id,
    base_url: baseUrl,
    provider_settings: settings,
    provider_model: providerModel,
    dimension,
    sends_dimension: sendsDimension,
    text,
  });
}
