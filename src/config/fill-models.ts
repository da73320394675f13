import { knownContextTokens } from "../adapters/model-windows.ts";
import { familyOf } from "./model-family.ts";
import { type Problem, problem } from "./problem.ts";
import type { EmbeddingModelConfig, ModelConfig, ParsedConfig, ParsedModel, ProviderConfig } from "./schema.ts";

type ParsedProvider = ParsedConfig["providers"][string];

/** Every alias filled in, and what is wrong with those that cannot be. Aliases of unknown providers are left out. */
export function fillModels(config: ParsedConfig): {
  readonly models: Record<string, ModelConfig>;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const models: Record<string, ModelConfig> = {};
  for (const [alias, model] of Object.entries(config.models)) {
    const provider = Object.hasOwn(config.providers, model.provider) ? config.providers[model.provider] : undefined;
    if (provider === undefined) continue;
    const filled = fillModel(model, provider);
    if (filled === undefined) {
      const message = `is required, because the window of ${model.model} is not known`;
      problems.push(problem(["models", alias, "context_tokens"], "required", message));
      continue;
    }
    models[alias] = filled;
    if (filled.max_output_tokens >= filled.context_tokens) {
      const message = `must be less than the window, ${filled.context_tokens} tokens`;
      problems.push(problem(["models", alias, "max_output_tokens"], "conflict", message));
    } else if (filled.initial_max_tokens > filled.max_output_tokens) {
      const message = `must be at most max_output_tokens, ${filled.max_output_tokens}`;
      problems.push(problem(["models", alias, "initial_max_tokens"], "conflict", message));
    }
  }
  return { models, problems: [...problems, ...differingLimits(models)] };
}

/** What protects a provider's model is shared by its aliases: they cannot ask for different bounds. */
function differingLimits(models: Readonly<Record<string, ModelConfig>>): Problem[] {
  const firsts = new Map<string, [alias: string, model: ModelConfig]>();
  return Object.entries(models).flatMap(([alias, model]) => {
    const key = JSON.stringify([model.provider, model.model]);
    const [firstAlias, first] = firsts.get(key) ?? [alias, model];
    firsts.set(key, [firstAlias, first]);
    return (["max_concurrency", "max_queue"] as const)
      .filter((limit) => model[limit] !== first[limit])
      .map((limit) => {
        const message = `must be ${first[limit]} as in ${firstAlias}, which is the same model of the same provider`;
        return problem(["models", alias, limit], "conflict", message);
      });
  });
}

/** Where answers are not limited by the configuration they may have this many tokens, or a quarter of a small window. */
const DEFAULT_MAX_OUTPUT_TOKENS = 16_384;

/** Hosts of OpenAI and of Azure's service of the same API. */
const openAiHosts =
  /^(?:(?:[a-z0-9-]+\.)?api\.openai\.com|[a-z0-9-]+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com)$/;

/** Fills in what an alias leaves to its provider or to what is known of the model. Undefined where the window is not known. */
function fillModel(model: ParsedModel, provider: ParsedProvider): ModelConfig | undefined {
  const contextTokens = model.context_tokens ?? knownContextTokens({ baseUrl: provider.base_url }, model.model);
  if (contextTokens === undefined) return undefined;
  const maxOutputTokens =
    model.max_output_tokens ?? Math.max(1, Math.min(DEFAULT_MAX_OUTPUT_TOKENS, Math.floor(contextTokens / 4)));
  return {
    ...model,
    context_tokens: contextTokens,
    max_output_tokens: maxOutputTokens,
    initial_max_tokens: model.initial_max_tokens ?? maxOutputTokens,
    // Not every compatible endpoint heeds a schema or refuses it; in the prompt it is seen by all of them.
    structured_output: model.structured_output ?? (isOpenAi(provider.base_url) ? "json_schema" : "prompt"),
    attempt_timeout_ms: model.attempt_timeout_ms ?? provider.attempt_timeout_ms,
    first_byte_timeout_ms: model.first_byte_timeout_ms ?? provider.first_byte_timeout_ms,
    idle_timeout_ms: model.idle_timeout_ms ?? provider.idle_timeout_ms,
    max_concurrency: model.max_concurrency ?? provider.max_concurrency,
    max_queue: model.max_queue ?? provider.max_queue,
    family: model.family ?? provider.family ?? familyOf(model.model),
  };
}

/** Fills in what a provider leaves to what is known of its address. */
export function fillProvider(provider: ParsedProvider): ProviderConfig {
  const field = isOpenAi(provider.base_url) ? "max_completion_tokens" : "max_tokens";
  return {
    ...provider,
    max_tokens_field: provider.max_tokens_field ?? field,
    template_tokens: provider.template_tokens ?? (isHosted(provider.base_url) ? "text" : "refuse"),
  };
}

/** Vendors whose own APIs encode the texts of messages without special tokens. */
const hostedApis = /(?:^|\.)(?:openai\.com|azure\.com|anthropic\.com|googleapis\.com|mistral\.ai)$/;

function isHosted(baseUrl: string): boolean {
  return URL.canParse(baseUrl) && hostedApis.test(new URL(baseUrl).hostname);
}

function isOpenAi(baseUrl: string): boolean {
  return URL.canParse(baseUrl) && openAiHosts.test(new URL(baseUrl).hostname);
}

/** Every alias of an embedding model filled in. Aliases of unknown providers are left out. */
export function fillEmbeddingModels(config: ParsedConfig): Record<string, EmbeddingModelConfig> {
  return Object.fromEntries(
    Object.entries(config.embedding_models).flatMap(([alias, model]) => {
      const provider = Object.hasOwn(config.providers, model.provider) ? config.providers[model.provider] : undefined;
      if (provider === undefined) return [];
      const filled: EmbeddingModelConfig = {
        ...model,
        attempt_timeout_ms: model.attempt_timeout_ms ?? provider.attempt_timeout_ms,
        max_concurrency: model.max_concurrency ?? provider.max_concurrency,
        max_queue: model.max_queue ?? provider.max_queue,
        family: model.family ?? provider.family ?? familyOf(model.model),
      };
      return [[alias, filled]];
    }),
  );
}
