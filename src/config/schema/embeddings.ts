import * as z from "zod";
import { count, durationMs, plainText } from "./key.ts";
import { alias, identifier } from "./providers.ts";

/** An alias of an embedding model: what collections and requests name. */
export const embeddingModelSchema = z.strictObject({
  provider: identifier.meta({ description: "Id of its provider." }),
  model: plainText(256).meta({ description: "The name by which the provider calls it." }),
  dimension: count(16_000).meta({
    unit: "numbers",
    description:
      "Numbers in each of its vectors. Collections remember it; vectors of another dimension are refused. Above 4,000 there is no index.",
  }),
  send_dimension: z.boolean().default(false).meta({
    description: "Whether the provider is told of it (`dimensions`), for models that can shorten their vectors.",
  }),
  max_input_tokens: count(1_000_000)
    .default(8_191)
    .meta({ description: "Most tokens of a text; a longer one is refused by its index." }),
  max_batch_texts: count(2_048).default(256).meta({ unit: "texts", description: "Most texts of one request." }),
  max_batch_tokens: count(10_000_000).default(100_000).meta({ description: "Most tokens of one request." }),
  attempt_timeout_ms: durationMs(1)
    .optional()
    .meta({ defaultText: "the provider's", description: "As the provider's key." }),
  max_concurrency: count(10_000).optional().meta({
    unit: "requests",
    defaultText: "the provider's",
    description: "As the provider's key.",
  }),
  max_queue: z.int().min(0).max(100_000).optional().meta({
    unit: "requests",
    defaultText: "the provider's",
    description: "As the provider's key.",
  }),
  family: plainText(64).optional().meta({
    defaultText: "the provider's, then told from the name",
    description: "As the provider's key.",
  }),
});

/** What texts are embedded with. */
export const embeddingKeys = {
  embedding_models: z.record(alias, embeddingModelSchema).default({}).meta({
    description:
      "Embedding models by alias. Aliases that begin with `local/` are reserved: `local/use-lite` is always there, a small English model that runs in the service itself.",
  }),
  embeddings: z
    .strictObject({
      ttl_seconds: z.int().min(1).max(2_592_000).default(604_800).meta({
        description: "How long a vector is kept in the cache where the request does not say. At most 30 days.",
      }),
      coalesce_ms: durationMs(0).max(100).default(2).meta({
        description: "How long a text waits for others of its tenant to share its request to the provider.",
      }),
    })
    .prefault({})
    .meta({ description: "How texts are embedded." }),
};
