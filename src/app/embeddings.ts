import { createLocalEmbeddings } from "../adapters/local-embeddings/index.ts";
import { createOpenAiEmbeddings } from "../adapters/openai/embedding-model.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { EmbeddingCatalog } from "../core/embedding.ts";
import type { Log } from "../core/log.ts";
import { createEmbeddingCatalog } from "../embedding-catalog.ts";

/** The embedding models of the configuration, and the one that runs here, which is started at its first use. */
export function openEmbeddings(
  config: Config,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): EmbeddingCatalog {
  const local = createLocalEmbeddings(ports);
  stack.defer(() => local.close());
  return createEmbeddingCatalog(config, {
    local,
    endpointFor(provider) {
      const endpoint = createOpenAiEmbeddings(
        {
          providerId: provider.id,
          baseUrl: provider.base_url,
          apiKey: provider.api_key,
          authHeader: provider.auth_header,
          headers: provider.headers,
          query: provider.query,
        },
        ports,
      );
      stack.defer(() => endpoint.close());
      return endpoint;
    },
  });
}
