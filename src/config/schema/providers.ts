import * as z from "zod";
import { aliasPattern } from "../alias.ts";
import { count, durationMs, plainText } from "./key.ts";

/** Ids of providers. */
export const identifier = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/,
    "must be 1 to 64 lower-case letters, digits, hyphens or underscores",
  );

/** Names of models. */
export const alias = z
  .string()
  .regex(aliasPattern, "must be 1 to 128 letters, digits or . _ / : -, a letter or digit first");

const family = plainText(64).optional();

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "must be the name of an HTTP header");

/** RFC 9110 allows more, but a provider's header never needs it, and a line break would forge a second header. */
const headerValue = z.string().regex(/^[\x20-\x7e]{0,4096}$/, "must be at most 4,096 printable ASCII characters");

const timeouts = {
  attempt_timeout_ms: durationMs(1),
  first_byte_timeout_ms: durationMs(1),
  idle_timeout_ms: durationMs(1),
};

/** Bounds of memory rather than advice: what a provider takes at once is far less. */
const load = {
  max_concurrency: count(10_000),
  max_queue: z.int().min(0).max(100_000),
};

/** An OpenAI-compatible endpoint. */
export const providerSchema = z.strictObject({
  base_url: plainText(2048).meta({
    env: true,
    description:
      "Address of an OpenAI-compatible API, up to and with its version, such as `https://api.openai.com/v1`.",
  }),
  api_key: headerValue.min(1).optional().meta({
    env: true,
    secret: true,
    defaultText: "none, no credential is sent",
    description: "The provider's key.",
  }),
  auth_header: z.enum(["authorization", "api-key"]).default("authorization").meta({
    description: "Header that carries the key: as `Bearer <key>` in `authorization`, bare in `api-key` (Azure).",
  }),
  headers: z
    .record(headerName, headerValue.meta({ env: true, secret: true }))
    .default({})
    .meta({
      description: "More headers of every request.",
    }),
  query: z
    .record(plainText(128), plainText().meta({ secret: true }))
    .default({})
    .meta({
      description: "Query parameters of every request (Azure: `api-version`).",
    }),
  max_tokens_field: z.enum(["max_completion_tokens", "max_tokens"]).optional().meta({
    defaultText: "`max_completion_tokens` at OpenAI and Azure, else `max_tokens`",
    description: "Name of the field that limits the answer; not every endpoint knows the newer one.",
  }),
  template_tokens: z.enum(["text", "refuse"]).optional().meta({
    defaultText: "`text` at the hosted APIs that are known, else `refuse`",
    description:
      "What to do with chat-template tokens (`<|im_start|>`, `[INST]` …) in texts: `text` where the server takes them for text, `refuse` where it might read them as roles, as vLLM and Ollama do.",
  }),
  attempt_timeout_ms: timeouts.attempt_timeout_ms
    .default(120_000)
    .meta({ description: "Limit of one attempt. Capped by what the call's deadline leaves, as the next two are." }),
  first_byte_timeout_ms: timeouts.first_byte_timeout_ms
    .default(30_000)
    .meta({ description: "Longest silence before the answer begins." }),
  idle_timeout_ms: timeouts.idle_timeout_ms.default(30_000).meta({ description: "Longest silence within the answer." }),
  max_concurrency: load.max_concurrency.default(64).meta({
    unit: "requests",
    description: "Most requests under way at once, for each of its models.",
  }),
  max_queue: load.max_queue.default(256).meta({
    unit: "calls",
    description:
      "Most calls that wait for one of those to end, for each of its models; further ones go to a fallback or fail with `OVERLOADED`.",
  }),
  family: family.meta({
    defaultText: "told from the model's name",
    description: "Family of its models for counting tokens, such as `openai`, `anthropic`, `gemini`, `llama`.",
  }),
});

/** A model alias: what requests name. Keys that are left out take the provider's, or what is known of the model. */
export const modelSchema = z.strictObject({
  provider: identifier.meta({ description: "Id of its provider." }),
  model: plainText(256).meta({ description: "The name by which the provider calls it." }),
  context_tokens: count(100_000_000).optional().meta({
    defaultText: "the known window of the model; required where it is not known",
    description: "The window: prompt and answer together.",
  }),
  max_output_tokens: count(1_000_000).optional().meta({
    defaultText: "16384, at most a quarter of the window",
    description: "Most tokens of an answer. Less than `context_tokens`.",
  }),
  initial_max_tokens: count(1_000_000).optional().meta({
    defaultText: "`max_output_tokens`",
    description: "Most tokens that are asked for where neither request nor prompt says.",
  }),
  structured_output: z.enum(["json_schema", "json_object", "prompt"]).optional().meta({
    defaultText: "`json_schema` at OpenAI and Azure, else `prompt`",
    description: "How JSON is asked for: natively with the schema, natively without it, or in the prompt alone.",
  }),
  stream_upstream: z
    .boolean()
    .default(true)
    .meta({ description: "Whether the provider is asked for a stream, for unary calls too." }),
  fallbacks: z.array(alias).max(8).default([]).meta({
    description: "Aliases that are asked, in order, when it cannot answer. At most 8, no cycles.",
  }),
  escalate_to: alias.optional().meta({
    defaultText: "none",
    description:
      "Alias that is asked when its answers stay bad: they break the schema or a check after all corrections. No cycles.",
  }),
  attempt_timeout_ms: timeouts.attempt_timeout_ms
    .optional()
    .meta({ defaultText: "the provider's", description: "As the provider's key." }),
  first_byte_timeout_ms: timeouts.first_byte_timeout_ms
    .optional()
    .meta({ defaultText: "the provider's", description: "As the provider's key." }),
  idle_timeout_ms: timeouts.idle_timeout_ms
    .optional()
    .meta({ defaultText: "the provider's", description: "As the provider's key." }),
  max_concurrency: load.max_concurrency.optional().meta({
    unit: "requests",
    defaultText: "the provider's",
    description: "As the provider's key. The same in all aliases of one provider and model, which share it.",
  }),
  max_queue: load.max_queue.optional().meta({
    unit: "calls",
    defaultText: "the provider's",
    description: "As the provider's key. The same in all aliases of one provider and model, which share it.",
  }),
  family: family.meta({
    defaultText: "the provider's, then told from the name",
    description: "As the provider's key.",
  }),
});

/** Providers, models, and how they are asked. */
export const modelKeys = {
  providers: z
    .record(identifier, providerSchema)
    .default({})
    .meta({ description: "OpenAI-compatible endpoints by id. The ids `sandbox` and `built-in` are reserved." }),
  models: z
    .record(alias, modelSchema)
    .default({})
    .meta({ description: "Models by alias. Aliases that begin with `sandbox/` are reserved." }),
  sandbox: z
    .boolean()
    .default(true)
    .meta({ description: "Whether the deterministic `sandbox/…` models, which need no network, are offered." }),
  defaults: z
    .strictObject({
      model: alias.optional().meta({
        defaultText: "the first alias of `models`, then `sandbox/extract`",
        description: "Alias that is asked where neither request nor prompt names one.",
      }),
      embedding_model: alias.optional().meta({
        defaultText: "the first alias of `embedding_models`, then `local/use-lite`",
        description: "Alias that new collections and `Embed` take where the request names none.",
      }),
      deadline_ms: durationMs(1).default(120_000).meta({
        description: "Limit of a call whose caller sets none. At most `max_deadline_ms`.",
      }),
      max_deadline_ms: durationMs(1).default(600_000).meta({
        description: "Limit of every call; a caller's longer deadline is cut to it.",
      }),
    })
    .prefault({})
    .meta({ description: "What a request that does not say gets." }),
  retry: z
    .strictObject({
      max_attempts: count(20).default(4).meta({
        unit: "attempts",
        description: "Most requests to providers for one call, all causes and models together.",
      }),
      max_corrections: z.int().min(0).max(5).default(2).meta({
        unit: "attempts",
        description: "Most of them that ask a model to mend an answer that breaks its schema or a check.",
      }),
      backoff_base_ms: durationMs(1)
        .default(200)
        .meta({ description: "Longest wait before the second attempt; doubles with each, with full jitter." }),
      backoff_max_ms: durationMs(1).default(8_000).meta({ description: "Bound of that doubling." }),
      max_wait_ms: durationMs(0)
        .default(30_000)
        .meta({ description: "Longest wait that a provider may ask for; for a longer one the call fails at once." }),
    })
    .prefault({})
    .meta({ description: "The one retry policy." }),
};
