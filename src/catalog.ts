import type { SandboxModel } from "./adapters/sandbox/models.ts";
import { sandboxProviderId } from "./config/alias.ts";
import type { Config, ModelConfig, ProviderConfig } from "./config.ts";
import { SluiceError } from "./core/failure.ts";
import type { ChatModel, ModelCatalog, ModelTarget } from "./core/model.ts";
import { nearestNames } from "./core/nearest-names.ts";

export interface CatalogParts {
  /** Offered unless the configuration says `sandbox: false`. */
  readonly sandboxModels: readonly SandboxModel[];
  /** Called once for each provider that an alias names. */
  readonly chatModelFor: (provider: ProviderConfig & { readonly id: string }) => ChatModel;
}

/** Short, so that what silence leads to can be seen in a few seconds; only the models that show silence ever are. */
const SANDBOX_TIMEOUTS = { firstByteMs: 2_000, idleMs: 2_000, attemptMs: 120_000 };

/** Sandbox models run in this process, which limits its calls as it is. */
const NO_LIMITS = { maxConcurrency: Number.MAX_SAFE_INTEGER, maxQueue: 0 };

/** The models of the configuration, in its order, then those of the sandbox. */
export function createCatalog(config: Config, parts: CatalogParts): ModelCatalog {
  const chats = new Map<string, ChatModel>();
  const targets = new Map<string, ModelTarget>();
  for (const [alias, model] of Object.entries(config.models)) {
    const provider = config.providers[model.provider];
    if (provider === undefined) throw new Error(`the checked configuration lacks the provider of ${alias}`);
    const chat = chats.get(model.provider) ?? parts.chatModelFor({ id: model.provider, ...provider });
    chats.set(model.provider, chat);
    targets.set(alias, realTarget(alias, model, provider, chat));
  }
  for (const model of config.sandbox ? parts.sandboxModels : []) targets.set(model.name, sandboxTarget(model));
  return {
    defaultAlias: config.defaults.model,
    list: () => [...targets.values()],
    resolve(alias) {
      const target = targets.get(alias);
      if (target !== undefined) return target;
      throw new SluiceError({ reason: "UNKNOWN_MODEL", name: alias, nearest: nearestNames(alias, targets.keys()) });
    },
  };
}

function realTarget(alias: string, model: ModelConfig, provider: ProviderConfig, chat: ChatModel): ModelTarget {
  return {
    alias,
    provider: {
      id: model.provider,
      baseUrl: provider.base_url,
      settings: JSON.stringify([provider.query, provider.headers]),
    },
    providerModel: model.model,
    family: model.family,
    contextTokens: model.context_tokens,
    maxOutputTokens: model.max_output_tokens,
    initialMaxTokens: model.initial_max_tokens,
    structuredOutput: model.structured_output,
    streamUpstream: model.stream_upstream,
    templateTokens: provider.template_tokens,
    fallbacks: model.fallbacks,
    escalateTo: model.escalate_to,
    limits: { maxConcurrency: model.max_concurrency, maxQueue: model.max_queue },
    timeouts: {
      firstByteMs: model.first_byte_timeout_ms,
      idleMs: model.idle_timeout_ms,
      attemptMs: model.attempt_timeout_ms,
    },
    synthetic: false,
    description: "",
    chat,
  };
}

function sandboxTarget(model: SandboxModel): ModelTarget {
  return {
    alias: model.name,
    provider: { id: sandboxProviderId },
    providerModel: model.name,
    family: sandboxProviderId,
    contextTokens: model.contextTokens,
    maxOutputTokens: model.maxOutputTokens,
    initialMaxTokens: model.maxOutputTokens,
    structuredOutput: "json_schema",
    streamUpstream: true,
    templateTokens: "text",
    fallbacks: [],
    timeouts: SANDBOX_TIMEOUTS,
    limits: NO_LIMITS,
    synthetic: true,
    description: model.description,
    chat: model.chat,
  };
}
