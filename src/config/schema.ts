import * as z from "zod";
import { budgetKeys } from "./schema/budgets.ts";
import { embeddingKeys, type embeddingModelSchema } from "./schema/embeddings.ts";
import { priceKeys } from "./schema/prices.ts";
import { modelKeys, type modelSchema, type providerSchema } from "./schema/providers.ts";
import { serverKeys } from "./schema/server.ts";
import { storeKeys } from "./schema/stores.ts";

/** The one schema of the configuration file. Every key has a description; `docs/configuration.md` is made of them. */
export const configSchema = z.strictObject({
  ...serverKeys,
  ...storeKeys,
  ...modelKeys,
  ...embeddingKeys,
  ...priceKeys,
  ...budgetKeys,
});

/** The file after defaults, before what depends on other keys, files and known models is filled in. */
export type ParsedConfig = z.output<typeof configSchema>;

type ParsedProvider = z.output<typeof providerSchema>;

/** A provider with everything filled in that its address says. */
export type ProviderConfig = Filled<ParsedProvider, "max_tokens_field" | "template_tokens">;

/** An alias as it was written. */
export type ParsedModel = z.output<typeof modelSchema>;

/** An alias with everything filled in that its provider or its known window says. */
export type ModelConfig = Filled<ParsedModel, Exclude<keyof ParsedModel, "escalate_to">>;

/** An alias of an embedding model with everything filled in that its provider or its name says. */
export type EmbeddingModelConfig = Filled<
  z.output<typeof embeddingModelSchema>,
  keyof z.output<typeof embeddingModelSchema>
>;

type Filled<Parsed, Keys extends keyof Parsed> = Omit<Parsed, Keys> & { [Key in Keys]-?: NonNullable<Parsed[Key]> };

/**
 * The configuration: names are those of the file. Paths are absolute. It holds secrets: show it through `shownConfig`
 * only.
 */
export type Config = Omit<ParsedConfig, "models" | "embedding_models" | "providers" | "defaults" | "prompts_dir"> & {
  prompts_dir: string;
  providers: Record<string, ProviderConfig>;
  models: Record<string, ModelConfig>;
  embedding_models: Record<string, EmbeddingModelConfig>;
  defaults: Filled<ParsedConfig["defaults"], "model" | "embedding_model">;
};
