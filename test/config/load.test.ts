import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadConfig } from "../../src/config.ts";
import { useConfigFile } from "./config-file.ts";

const HASH = "a".repeat(64);

describe("loadConfig", () => {
  const { load, folder } = useConfigFile();

  describe("without a file", () => {
    it("has a default for everything", () => {
      const config = loadConfig({ env: {}, workingDir: folder().path });
      assert.equal(config.listen, "127.0.0.1:8080");
      assert.equal(config.data_dir, `${folder().path}/data`);
      assert.equal(config.prompts_dir, `${folder().path}/prompts`);
      assert.equal(config.defaults.model, "sandbox/extract");
      assert.equal(config.sandbox, true);
      assert.deepEqual(config.models, {});
      assert.equal(config.database_url, undefined);
      assert.deepEqual(config.retry, {
        max_attempts: 4,
        max_corrections: 2,
        backoff_base_ms: 200,
        backoff_max_ms: 8000,
        max_wait_ms: 30000,
      });
      assert.deepEqual(config.cache, { memory_mb: 256, ttl_seconds: 86400, redis_timeout_ms: 50 });
    });

    it("uses the stores that the environment names", () => {
      const env = { DATABASE_URL: "postgres://db/x", REDIS_URL: "redis://cache" };
      const config = loadConfig({ env, workingDir: folder().path });
      assert.equal(config.database_url, "postgres://db/x");
      assert.equal(config.redis_url, "redis://cache");
    });

    it("offers OpenAI's models where the environment has a key", () => {
      const config = loadConfig({ env: { OPENAI_API_KEY: "sk-1" }, workingDir: folder().path });
      assert.equal(config.providers.openai?.api_key, "sk-1");
      assert.deepEqual(
        Object.entries(config.models).map(([alias, { model }]) => [alias, model]),
        [
          ["fast", "gpt-5-mini"],
          ["smart", "gpt-5"],
        ],
      );
      assert.equal(config.defaults.model, "fast");
    });

    it("takes a value of the environment as it is, references in it too", () => {
      const config = loadConfig({ env: { OPENAI_API_KEY: `$${"{HOME}"}`, HOME: "no" }, workingDir: folder().path });
      assert.equal(config.providers.openai?.api_key, `$${"{HOME}"}`);
    });

    it("does not take empty variables for set ones", () => {
      const env = { DATABASE_URL: "", REDIS_URL: "", OPENAI_API_KEY: "" };
      const config = loadConfig({ env, workingDir: folder().path });
      assert.equal(config.database_url, undefined);
      assert.deepEqual(config.providers, {});
    });
  });

  describe("with a file", () => {
    it("reads the example that ships with Sluice", () => {
      const env = {
        DATABASE_URL: "postgres://db/x",
        REDIS_URL: "rediss://cache",
        OPENAI_API_KEY: "sk-1",
        BILLING_KEY_SHA256: HASH,
      };
      const config = load(readFileSync("sluice.example.yaml", "utf8"), env);
      assert.equal(config.auth.api_keys[0]?.sha256, HASH);
      assert.equal(config.models.local?.context_tokens, 131072);
    });

    it("takes an empty file for an empty configuration, and leaves the environment alone", () => {
      const config = load("# nothing yet\n", { OPENAI_API_KEY: "sk-1", DATABASE_URL: "postgres://db/x" });
      assert.deepEqual(config.providers, {});
      assert.equal(config.database_url, undefined);
    });

    it("fills in what an alias leaves to its provider and to what is known of the model", () => {
      const config = load(
        [
          "providers:",
          "  main: { base_url: https://api.openai.com/v1, idle_timeout_ms: 7000, max_concurrency: 5 }",
          "  other: { base_url: http://127.0.0.1:9/v1, family: mistral }",
          "models:",
          "  fast: { provider: main, model: gpt-5-mini, first_byte_timeout_ms: 9000, max_queue: 0 }",
          "  small: { provider: other, model: tiny, context_tokens: 4000 }",
        ].join("\n"),
      );
      assert.deepEqual(config.models.fast, {
        provider: "main",
        model: "gpt-5-mini",
        context_tokens: 400000,
        max_output_tokens: 16384,
        initial_max_tokens: 16384,
        structured_output: "json_schema",
        stream_upstream: true,
        fallbacks: [],
        attempt_timeout_ms: 120000,
        first_byte_timeout_ms: 9000,
        idle_timeout_ms: 7000,
        max_concurrency: 5,
        max_queue: 0,
        family: "openai",
      });
      assert.equal(config.models.small?.max_output_tokens, 1000);
      assert.deepEqual([config.models.small?.max_concurrency, config.models.small?.max_queue], [64, 256]);
      assert.equal(config.models.small?.structured_output, "prompt");
      assert.equal(config.models.small?.family, "mistral");
      assert.equal(config.providers.main?.max_tokens_field, "max_completion_tokens");
      assert.equal(config.providers.other?.max_tokens_field, "max_tokens");
      assert.equal(config.defaults.model, "fast");
    });

    it("puts --listen before the file's address", () => {
      assert.equal(load("listen: 127.0.0.1:1", {}, "[::1]:0").listen, "[::1]:0");
    });

    it("replaces environment variables within braces and brackets too", () => {
      const config = load(`providers: { main: { base_url: $${"{URL}"}, api_key: $${"{KEY}"} } }`, {
        URL: "https://llm.example/v1",
        KEY: "sk-1",
      });
      assert.equal(config.providers.main?.base_url, "https://llm.example/v1");
      assert.equal(config.providers.main?.api_key, "sk-1");
    });

    it("allows an open listener that says so, and one that asks for keys", () => {
      assert.equal(load("{listen: '0.0.0.0:80', allow_open: true}").allow_open, true);
      const guarded = load(`{listen: "[::]:80", auth: {api_keys: [{id: a, tenant: acme, sha256: ${HASH}}]}}`);
      assert.equal(guarded.auth.api_keys.length, 1);
    });
  });
});
