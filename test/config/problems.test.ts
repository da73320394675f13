import assert from "node:assert/strict";
import { ConfigError, loadConfig } from "../../src/config.ts";
import { useConfigFile } from "./config-file.ts";

const HASH = "a".repeat(64);

describe("what is wrong with a configuration", () => {
  const { load, problemLines, problemsOf, folder } = useConfigFile();

  describe("problems", () => {
    const base = "providers: { main: { base_url: https://api.openai.com/v1 } }\n";
    const cases: readonly [behaviour: string, yaml: string, problems: readonly string[]][] = [
      [
        "unknown keys with the nearest known one",
        "cros: []\ncache: {memory: 1}",
        [
          "cache.memory: there is no such key; the nearest is memory_mb",
          "cros: there is no such key; the nearest is cors",
        ],
      ],
      [
        "keys of embedding models in a wrong section, with the right name",
        "embedding_model: 2\ndefaults: {embedding_models: a}",
        [
          "defaults.embedding_models: there is no such key; the nearest is embedding_model",
          "embedding_model: there is no such key; the nearest is embedding_models",
        ],
      ],
      [
        "embedding models of unknown providers, without a dimension, and defaults that are none of them",
        `${base}embedding_models: { a: { provider: mian, model: m, dimension: 3 }, b: { provider: main, model: m }, c: { provider: main, model: m, dimension: 16001 } }\ndefaults: { embedding_model: local/use-light }`,
        [
          "embedding_models.b.dimension: is required",
          "embedding_models.c.dimension: must be at most 16000",
          "embedding_models.a.provider: there is no such provider; the nearest is main",
          "defaults.embedding_model: there is no such embedding model; the nearest is local/use-lite",
        ],
      ],
      [
        "values of the wrong type",
        "listen: 8080\ncache: {memory_mb: 1.5, ttl_seconds: '9'}\nsandbox: yes\nhosts: a\nlog:",
        [
          "listen: must be text, is a number",
          "hosts: must be a list, is text",
          "log: must be a mapping, is empty",
          "cache.memory_mb: must be a whole number, is a number with a fraction",
          "cache.ttl_seconds: must be a number, is text",
          "sandbox: must be true or false, is text",
        ],
      ],
      [
        "values out of their range",
        `retry: {max_attempts: 0, max_corrections: 6}\nlimits: {message_bytes: 999999999999}\ncache: {ttl_seconds: 2592001}\nproviders: { main: { base_url: "http://x/v1", max_concurrency: 0, max_queue: -1 } }`,
        [
          "limits.message_bytes: must be at most 268435456",
          "cache.ttl_seconds: must be at most 2592000",
          "providers.main.max_concurrency: must be at least 1",
          "providers.main.max_queue: must be at least 0",
          "retry.max_attempts: must be at least 1",
          "retry.max_corrections: must be at most 5",
        ],
      ],
      ["durations that no timer can hold", "drain_ms: 2147483648", ["drain_ms: must be at most 2147483647"]],
      [
        "values that are none of the possible ones",
        "log: {level: loud}",
        ["log.level: must be one of debug, info, warn, error"],
      ],
      ["a file that is no mapping", "- listen", ["file: must be a mapping, is a list"]],
      [
        "variables that are not set, are empty, or stand where none may",
        `database_url: $${"{NONE}"}\nredis_url: $${"{EMPTY}"}\nlisten: $${"{SET}"}\ndata_dir: x-$${"{SET}"}\nhosts: [$${"{SET}"}]`,
        [
          "database_url: the environment variable NONE is not set",
          "redis_url: the environment variable EMPTY is not set",
          "listen: environment variables are not replaced here",
          `data_dir: must be the whole value: $${"{NAME}"}`,
          "hosts[0]: environment variables are not replaced here",
        ],
      ],
      [
        "an unknown key whose value is a variable, as an unknown key",
        `database_ur: $${"{SET}"}`,
        ["database_ur: there is no such key; the nearest is database_url"],
      ],
      [
        "names that are not defined",
        `${base}models: { fast: { provider: mian, model: gpt-5, fallbacks: [slow, sandbox/extrct], escalate_to: smrt }, smart: {provider: main, model: gpt-5} }\ndefaults: { model: smat }`,
        [
          "models.fast.provider: there is no such provider; the nearest is main",
          "models.fast.fallbacks[0]: there is no such model; the nearest is fast",
          "models.fast.fallbacks[1]: there is no such model; the nearest is sandbox/extract",
          "models.fast.escalate_to: there is no such model; the nearest is smart",
          "defaults.model: there is no such model; the nearest is smart",
        ],
      ],
      [
        "each cycle with the whole way round",
        `${base}models: { a: { provider: main, model: gpt-5, fallbacks: [b] }, b: { provider: main, model: gpt-5, fallbacks: [c] }, c: { provider: main, model: gpt-5, fallbacks: [a] } }`,
        ["models.a.fallbacks: goes in a circle: a → b → c → a"],
      ],
      [
        "cycles of escalation, and who escalates to itself",
        `${base}models: { a: { provider: main, model: gpt-5, escalate_to: b }, b: { provider: main, model: gpt-5, escalate_to: a }, c: { provider: main, model: gpt-5, escalate_to: c } }`,
        ["models.a.escalate_to: goes in a circle: a → b → a", "models.c.escalate_to: goes in a circle: c → c"],
      ],
      [
        "a fallback that is named twice",
        `${base}models: { a: { provider: main, model: gpt-5, fallbacks: [b, b] }, b: { provider: main, model: gpt-5-mini } }`,
        ["models.a.fallbacks[1]: this model is in the list before"],
      ],
      [
        "different limits of the same model",
        `${base}models: { a: { provider: main, model: gpt-5, max_concurrency: 8 }, b: { provider: main, model: gpt-5-mini }, c: { provider: main, model: gpt-5, max_queue: 9 } }`,
        [
          "models.c.max_concurrency: must be 8 as in a, which is the same model of the same provider",
          "models.c.max_queue: must be 256 as in a, which is the same model of the same provider",
        ],
      ],
      [
        "names that are reserved",
        `providers: { sandbox: { base_url: "http://x/v1" }, built-in: { base_url: "http://x/v1" } }\nmodels: { sandbox/mine: { provider: sandbox, model: gpt-5 } }\nembedding_models: { local/mine: { provider: sandbox, model: m, dimension: 3 } }`,
        [
          "providers.sandbox: this name is reserved for the sandbox",
          "providers.built-in: this name is reserved for built-in models",
          "embedding_models.local/mine: this name is reserved for built-in models",
          "models.sandbox/mine: this name is reserved for the sandbox",
        ],
      ],
      [
        "models whose window is not known, or too small",
        `${base}models: { a: { provider: main, model: unheard-of }, b: { provider: main, model: gpt-5, context_tokens: 1000, max_output_tokens: 1000 }, c: { provider: main, model: gpt-5, max_output_tokens: 10, initial_max_tokens: 11 } }`,
        [
          "models.a.context_tokens: is required, because the window of unheard-of is not known",
          "models.b.max_output_tokens: must be less than the window, 1000 tokens",
          "models.c.initial_max_tokens: must be at most max_output_tokens, 10",
        ],
      ],
      ["no model at all", "sandbox: false", ["models: needs at least one model where sandbox is false"]],
      [
        "the sandbox as default where it is switched off",
        `${base}sandbox: false\nmodels: { a: { provider: main, model: gpt-5 } }\ndefaults: { model: sandbox/extract }`,
        ["defaults.model: there is no such model; the nearest is a"],
      ],
      [
        "a listener that others can reach and that asks for no key",
        "listen: 0.0.0.0:8080",
        ["listen: others can reach this address, and no key is asked for: add auth.api_keys, or say allow_open: true"],
      ],
      [
        "addresses that are none",
        "listen: localhost:65536",
        ["listen: must be host:port, such as 127.0.0.1:8080 or [::1]:8080, port 0 to 65535"],
      ],
      [
        "origins and hosts that browsers never send",
        `cors: ["*", "https://a.example/", "https://a.example:443", "file:///x", app]\nhosts: ["https://a"]`,
        [
          "cors[0]: every origin is more than a service that spends money can allow; name each one",
          "cors[1]: must be written as browsers send it, without user, path or slash: https://a.example",
          "cors[2]: must be written as browsers send it, without user, path or slash: https://a.example",
          "cors[3]: must be an origin, such as https://app.example.com",
          "cors[4]: must be an origin, such as https://app.example.com",
          "hosts[0]: must be a host name with or without a port, such as sluice.example.com:8443",
        ],
      ],
      [
        "keys that are malformed or given twice",
        `auth: { api_keys: [ { id: a, tenant: acme, sha256: ${HASH} }, { id: a, tenant: Acme, sha256: ${HASH} }, { id: c, tenant: acme, sha256: ABC } ] }`,
        [
          "auth.api_keys[1].tenant: must be 1 to 64 lower-case letters, digits, hyphens or underscores",
          "auth.api_keys[2].sha256: must be 64 lower-case hex digits, as `sluice key create` prints them",
          "auth.api_keys[1].id: another key has this id",
          "auth.api_keys[1].sha256: another entry has this key",
        ],
      ],
      [
        "deadlines and waits in the wrong order",
        "defaults: { deadline_ms: 2, max_deadline_ms: 1 }\nretry: { backoff_base_ms: 9000 }",
        [
          "defaults.deadline_ms: must be at most defaults.max_deadline_ms",
          "retry.backoff_base_ms: must be at most retry.backoff_max_ms",
        ],
      ],
      [
        "addresses of stores and providers that are none",
        `database_url: mysql://x\nredis_url: cache\nproviders: { a: { base_url: x }, b: { base_url: "https://u:p@x/v1" }, c: { base_url: "https://x/v1?k=1" } }`,
        [
          "providers.a.base_url: must be a URL that begins with http:// or https://",
          "providers.b.base_url: must not hold a user or a password; use api_key or headers",
          "providers.c.base_url: must not hold ? or #; use query",
          "database_url: must begin with postgres:// or postgresql://",
          "redis_url: must be a URL that begins with redis:// or rediss://",
        ],
      ],
      [
        "overrides without a price, twice, or of an unknown provider",
        "prices: { override: [ { model: m, prompt_usd_per_million: -1, completion_usd_per_million: '0.5' }, { model: m, prompt_usd_per_million: 1, completion_usd_per_million: 1 }, { provider: x, model: m, prompt_usd_per_million: 1 } ] }",
        [
          "prices.override[0].prompt_usd_per_million: must be at least 0",
          "prices.override[2].completion_usd_per_million: is required",
          "prices.override[1]: this model has an override before",
          "prices.override[2].provider: there is no such provider; none is configured",
        ],
      ],
      [
        "header names and values that would forge headers",
        `providers: { a: { base_url: "http://x/v1", headers: { "a b": x, y: "1\\r\\nz: 2" } } }`,
        [
          "providers.a.headers.a b: the name must be the name of an HTTP header",
          "providers.a.headers.y: must be at most 4,096 printable ASCII characters",
        ],
      ],
      [
        "folders that are not there, or are none",
        "data_dir: sluice.yaml\nprompts_dir: nowhere",
        ["data_dir: is not a folder", "prompts_dir: there is no such folder"],
      ],
      [
        "TLS files that cannot be read or are none",
        "tls: { cert: nowhere.pem, key: prompts }",
        ["tls.cert: there is no such file", "tls.key: is a folder"],
      ],
      [
        "TLS files that hold something else",
        "tls: { cert: sluice.yaml, key: sluice.yaml }",
        ["tls.cert: is not a PEM certificate", "tls.key: is not a PEM private key without a passphrase"],
      ],
    ];

    for (const [behaviour, yaml, expected] of cases) {
      it(`names ${behaviour}`, () => {
        assert.deepEqual(problemsOf(yaml, { EMPTY: "", SET: "x" }), expected);
      });
    }

    it("name a provider that only JavaScript knows", () => {
      assert.deepEqual(
        problemsOf(`${base}models: { a: { provider: constructor, model: gpt-5, fallbacks: [toString] } }`),
        [
          "models.a.provider: there is no such provider; the nearest is main",
          "models.a.fallbacks[0]: there is no such model; the nearest is a",
        ],
      );
    });

    it("come all at once, whatever else is wrong", () => {
      const problems = problemsOf(
        "listen: 0.0.0.0:1\ncros: 1\nembedding_models: {}\nlog: {level: 3}\nmodels: { a: { provider: x, model: 3, fallbacks: [a] } }",
        {},
      );
      assert.deepEqual(problems, [
        "log.level: must be one of debug, info, warn, error",
        "models.a.model: must be text, is a number",
        "cros: there is no such key; the nearest is cors",
        "listen: others can reach this address, and no key is asked for: add auth.api_keys, or say allow_open: true",
        "models.a.provider: there is no such provider; none is configured",
        "models.a.fallbacks: goes in a circle: a → a",
      ]);
    });

    it("carry path and rule for programs", () => {
      assert.throws(
        () => load("cros: 1"),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.deepEqual(error.problems, [
            { path: "cros", rule: "unknown_key", message: "there is no such key; the nearest is cors" },
          ]);
          return true;
        },
      );
    });
  });

  it("says that a file is not there", () => {
    const file = `${folder().path}/none.yaml`;
    assert.deepEqual(
      problemLines(() => loadConfig({ file, env: {}, workingDir: folder().path })),
      [`${file}: there is no such file`],
    );
  });

  it("reads a file of 1 MiB, and refuses one that is a byte larger, or no UTF-8", () => {
    const mebibyte = `#${"x".repeat(1024 * 1024 - 1)}`;
    assert.doesNotThrow(() => load(mebibyte));
    assert.deepEqual(problemsOf(`${mebibyte}x`), ["file: is larger than 1048576 bytes"]);
    const file = folder().write("latin.yaml", Uint8Array.of(0x23, 0xe9));
    assert.match(problemLines(() => loadConfig({ file, env: {} })).join(), /is not UTF-8$/);
  });

  it("never quotes values, which may be secrets", () => {
    const secret = "s3cr3t-value";
    const places = [
      `database_url: ${secret}`,
      `redis_url: ${secret}`,
      `providers: { a: { base_url: "${secret}", api_key: [${secret}] } }`,
      `providers: { a: { base_url: "https://u:${secret}@x/", headers: { x: "é${secret}" } } }`,
      `auth: { api_keys: [ { id: a, tenant: b, sha256: ${secret} } ] }`,
      `database_url: |${secret}\n`,
      `database_url: "\\q${secret}"`,
      `database_url: *${secret}`,
      `database_url: !${secret} x`,
      `database_url: '${secret}`,
      `log: { level: ${secret} }`,
    ];
    for (const yaml of places) {
      const problems = problemsOf(yaml);
      assert.ok(problems.length > 0, yaml);
      assert.ok(!problems.join().includes(secret), problems.join());
    }
  });
});
