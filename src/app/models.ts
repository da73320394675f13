import { createOpenAiChatModel } from "../adapters/openai/chat-model.ts";
import { createPriceBook } from "../adapters/prices.ts";
import { createSandboxModels } from "../adapters/sandbox/models.ts";
import { createTokenCounter } from "../adapters/tokenizer.ts";
import { createCatalog } from "../catalog.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { ModelCatalog } from "../core/model.ts";
import type { PriceBook } from "../core/money.ts";
import type { TokenCounter } from "../core/tokens.ts";

export interface Models {
  readonly models: ModelCatalog;
  readonly prices: PriceBook;
  readonly counter: TokenCounter;
}

/** The models of the configuration, with what they cost and how their tokens are counted. */
export function openModels(
  config: Config,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): Models {
  const counter = createTokenCounter();
  // Until the vocabulary is loaded, tokens are estimated from bytes: the first call need not wait for it.
  counter.warm().catch((error: unknown) => ports.log.error("tokenizer_failed", { error }));
  const models = createCatalog(config, {
    sandboxModels: createSandboxModels({ clock: ports.clock, counter }),
    chatModelFor(provider) {
      const chat = createOpenAiChatModel(
        {
          providerId: provider.id,
          baseUrl: provider.base_url,
          apiKey: provider.api_key,
          authHeader: provider.auth_header,
          headers: provider.headers,
          query: provider.query,
          maxTokensField: provider.max_tokens_field,
        },
        ports,
      );
      stack.defer(() => chat.close());
      return chat;
    },
  });
  return { models, prices: createPriceBook({ overrides: config.prices.override, clock: ports.clock }), counter };
}
