import assert from "node:assert/strict";
import type { SandboxModel } from "../../src/adapters/sandbox/models.ts";
import { createCatalog } from "../../src/catalog.ts";
import { loadConfig } from "../../src/config.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { ChatModel } from "../../src/core/model.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";

const YAML = `
providers:
  main: { base_url: https://api.openai.com/v1, api_key: sk-1, attempt_timeout_ms: 9000, max_queue: 10 }
  other: { base_url: http://127.0.0.1:1/v1 }
models:
  smart: { provider: main, model: gpt-5, fallbacks: [cheap], max_concurrency: 3, first_byte_timeout_ms: 11, idle_timeout_ms: 12 }
  fast: { provider: main, model: gpt-5-mini, initial_max_tokens: 100, escalate_to: smart }
  cheap: { provider: other, model: mistral-small, context_tokens: 1000, stream_upstream: false }
defaults: { model: fast }
`;

/** Never asked here. */
function noChat(): ChatModel {
  return {
    complete: () => {
      throw new Error("no call is made here");
    },
  };
}

describe("createCatalog", () => {
  const sandboxModels: SandboxModel[] = ["sandbox/extract", "sandbox/slow"].map((name) => ({
    name,
    description: `what ${name} shows`,
    contextTokens: 32_768,
    maxOutputTokens: 4_096,
    chat: noChat(),
  }));
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  function catalogOf(yaml: string) {
    const made: string[] = [];
    const chats = new Map<string, ChatModel>();
    const config = loadConfig({ file: folder.write("sluice.yaml", yaml), env: {}, workingDir: folder.path });
    const catalog = createCatalog(config, {
      sandboxModels,
      chatModelFor({ id, base_url }) {
        made.push(`${id} ${base_url}`);
        const chat = noChat();
        chats.set(id, chat);
        return chat;
      },
    });
    return { catalog, made, chats };
  }

  it("lists the aliases in the order of the configuration, then the sandbox's", () => {
    const { catalog } = catalogOf(YAML);
    const names = catalog.list().map(({ alias }) => alias);
    assert.deepEqual(names, ["smart", "fast", "cheap", "sandbox/extract", "sandbox/slow"]);
    assert.equal(catalog.defaultAlias, "fast");
  });

  it("makes one endpoint for each provider, shared by its aliases", () => {
    const { catalog, made, chats } = catalogOf(YAML);
    assert.deepEqual(made, ["main https://api.openai.com/v1", "other http://127.0.0.1:1/v1"]);
    assert.equal(catalog.resolve("smart").chat, chats.get("main"));
    assert.equal(catalog.resolve("fast").chat, chats.get("main"));
    assert.equal(catalog.resolve("cheap").chat, chats.get("other"));
  });

  it("resolves an alias to all that a call needs to know", () => {
    const { chat, ...smart } = catalogOf(YAML).catalog.resolve("smart");
    assert.ok(chat);
    assert.deepEqual(smart, {
      alias: "smart",
      provider: { id: "main", baseUrl: "https://api.openai.com/v1", settings: "[{},{}]" },
      providerModel: "gpt-5",
      family: "openai",
      contextTokens: 400_000,
      maxOutputTokens: 16_384,
      initialMaxTokens: 16_384,
      structuredOutput: "json_schema",
      streamUpstream: true,
      fallbacks: ["cheap"],
      escalateTo: undefined,
      limits: { maxConcurrency: 3, maxQueue: 10 },
      timeouts: { firstByteMs: 11, idleMs: 12, attemptMs: 9000 },
      synthetic: false,
      templateTokens: "text",
      description: "",
    });
  });

  it("keeps what an alias says of its own", () => {
    const { catalog } = catalogOf(YAML);
    assert.equal(catalog.resolve("fast").initialMaxTokens, 100);
    assert.equal(catalog.resolve("fast").escalateTo, "smart");
    assert.equal(catalog.resolve("cheap").streamUpstream, false);
    assert.equal(catalog.resolve("cheap").maxOutputTokens, 250);
    assert.equal(catalog.resolve("cheap").family, "mistral");
  });

  it("says of sandbox models that no real model answers", () => {
    const target = catalogOf(YAML).catalog.resolve("sandbox/slow");
    assert.equal(target.synthetic, true);
    assert.equal(target.provider.id, "sandbox");
    assert.equal(target.description, "what sandbox/slow shows");
    assert.equal(target.chat, sandboxModels[1]?.chat);
  });

  it("offers no sandbox where the configuration says so", () => {
    const { catalog } = catalogOf(`${YAML}sandbox: false\n`);
    assert.deepEqual(
      catalog.list().filter(({ synthetic }) => synthetic),
      [],
    );
    assert.throws(() => catalog.resolve("sandbox/extract"), SluiceError);
  });

  it("answers an unknown alias with the nearest names", () => {
    const { catalog } = catalogOf(YAML);
    for (const alias of ["fsat", "__proto__"]) {
      assert.throws(
        () => catalog.resolve(alias),
        (error) => {
          assert.ok(error instanceof SluiceError && error.failure.reason === "UNKNOWN_MODEL");
          assert.equal(error.failure.name, alias);
          assert.equal(error.failure.nearest.length, 5);
          if (alias === "fsat") assert.equal(error.failure.nearest[0], "fast");
          return true;
        },
      );
    }
  });
});
