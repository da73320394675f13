import { type Environment, environmentReference } from "./environment.ts";

const OPENAI = {
  providers: { openai: { base_url: "https://api.openai.com/v1", api_key: environmentReference("OPENAI_API_KEY") } },
  models: {
    fast: { provider: "openai", model: "gpt-5-mini" },
    smart: { provider: "openai", model: "gpt-5" },
  },
  defaults: { model: "fast" },
};

/** The configuration without a file: the variables that are set add what they stand for, and none is required. */
export function zeroConfig(env: Environment): unknown {
  return {
    ...(env.DATABASE_URL ? { database_url: environmentReference("DATABASE_URL") } : { sample_corpus: true }),
    ...(env.REDIS_URL ? { redis_url: environmentReference("REDIS_URL") } : {}),
    ...(env.OPENAI_API_KEY ? OPENAI : {}),
  };
}
