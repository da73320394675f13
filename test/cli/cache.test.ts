import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { CacheStats } from "../../src/core/cache-admin.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { fakeCacheAdmin } from "../rpc/support/fake-ports.ts";
import { closeServers, startTestServer } from "../rpc/support/test-server.ts";
import { runSluice } from "./run-sluice.ts";

const stats: CacheStats = {
  memory: {
    ...{ hits: 90, misses: 10, unknown: 0, stores: 9, unstored: 1, evictions: 3, entries: 6, bytes: 1_572_864 },
    lookUpMs: { p50: 0.002, p99: 0.0154, max: 2 },
  },
  shared: {
    ...{ hits: 1, misses: 5, unknown: 4, stores: 9, unstored: 2, isAway: true },
    lookUpMs: { p50: 0.25, p99: 12, max: 50 },
  },
  flights: { joined: 8, taken: 7, takenOver: 1 },
  savedNanoUsd: 12_500_000_000n,
};

const apiKeys = [
  { id: "ops", tenant: "acme", sha256: createHash("sha256").update("admin-key").digest("hex"), admin: true },
  { id: "billing", tenant: "acme", sha256: createHash("sha256").update("billing-key").digest("hex") },
];

const serverOf = (cache: ReturnType<typeof fakeCacheAdmin>) => startTestServer({ ports: { cache } });

describe("sluice cache stats", () => {
  afterEach(closeServers);

  it("shows a table with a row for each layer, what calls shared, and what was saved", async () => {
    const server = await serverOf(fakeCacheAdmin({ stats: () => stats }));
    const { code, stdout, stderr } = await runSluice(["cache", "stats", "--server", server.url]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(stdout.split("\n"), [
      "sluice 1.2.3, counted since 2023-11-14 22:13:20 UTC",
      "layer   hits  misses  unknown  hit rate  stored  not stored  evicted  entries  MiB  p50 ms  p99 ms  state",
      "memory    90      10        0    90.0 %       9           1        3        6  1.5   0.002   0.015  ok",
      "shared     1       5        4    10.0 %       9           2        -        -    -   0.250  12.000  away",
      "joined 8 calls of this process and 7 of others; took over 1",
      "saved $12.50",
      "",
    ]);
  });

  it("says where there is no shared layer, and no rate of nothing", async () => {
    const server = await serverOf(fakeCacheAdmin());
    const { code, stdout } = await runSluice(["cache", "stats"], { env: { SLUICE_SERVER: server.url } });
    assert.equal(code, 0);
    assert.match(stdout, /^memory +0 +0 +0 +- /m);
    assert.match(stdout, /^there is no shared layer$/m);
    assert.doesNotMatch(stdout, /^shared/m);
  });

  it("prints the status as JSON, zeros too", async () => {
    const server = await serverOf(fakeCacheAdmin({ stats: () => stats }));
    const { stdout } = await runSluice(["cache", "stats", "--json", "--server", server.url]);
    const status: unknown = JSON.parse(stdout);
    assert.ok(typeof status === "object" && status !== null && "cache" in status);
    const { memory, shared, savedNanoUsd } = Object(status.cache);
    assert.deepEqual([memory.unknown, memory.lookUpP99Ms, memory.isAway], ["0", 0.0154, false]);
    assert.deepEqual([shared.isAway, "entries" in shared, savedNanoUsd], [true, false, "12500000000"]);
  });
});

describe("sluice cache purge", () => {
  afterEach(closeServers);

  const asked: readonly [args: string[], filter: object][] = [
    [["--everything"], { tenant: "local" }],
    [["--everything", "--tenant", "globex"], { tenant: "globex" }],
    [["--everything", "--all-tenants"], {}],
    [["--prompt", "greet", "--all-tenants"], { promptName: "greet" }],
    [
      ["--tenant", "globex", "--prompt", "greet", "--version", "v2", "--model", "fast"],
      { tenant: "globex", promptName: "greet", promptVersion: "v2", model: "fast" },
    ],
  ];
  for (const [args, filter] of asked) {
    it(`purges by ${args.join(" ")}`, async () => {
      const cache = fakeCacheAdmin({ purge: async () => ({ memory: 1, shared: 2 }) });
      const { url } = await serverOf(cache);
      const { code, stdout, stderr } = await runSluice(["cache", "purge", ...args, "--server", url]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.equal(
        stdout,
        "purged 1 answer from memory; 2 answers from the shared layer, and other processes forget them too\n",
      );
      assert.deepEqual(cache.purged, [filter]);
    });
  }

  it("says where there is no shared layer, as text and as JSON", async () => {
    const { url } = await serverOf(fakeCacheAdmin());
    const text = await runSluice(["cache", "purge", "--everything", "--server", url]);
    assert.equal(text.stdout, "purged 0 answers from memory; there is no shared layer\n");
    const json = await runSluice(["cache", "purge", "--everything", "--json", "--server", url]);
    assert.deepEqual(JSON.parse(json.stdout), { purgedFromMemory: "0" });
  });

  const refused: readonly [args: string[], message: RegExp][] = [
    [[], /^say what to purge: --prompt, --model, or --everything\n/],
    [["--tenant", "acme"], /^say what to purge/],
    [["--all-tenants"], /^say what to purge/],
    [["--everything", "--model", "fast"], /^--everything: leave it out/],
    [["--everything", "--prompt", "greet"], /^--everything: leave it out/],
    [["--everything", "--tenant", "acme", "--all-tenants"], /^--tenant and --all-tenants exclude each other\n/],
    [["--model", "fast", "--version", "v1"], /^--version: needs --prompt\n/],
    [["--everything", "--tenant", ""], /^--tenant: must not be empty\n/],
    [["--prompt", "", "--model", "fast"], /^--prompt: must not be empty\n/],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args.join(" ") || "nothing"} with 2, before it asks a server`, async () => {
      const { code, stdout, stderr } = await runSluice(["cache", "purge", ...args, "--server", "http://127.0.0.1:1"]);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, message);
    });
  }

  it("ends with 2 where the server refuses a name, and says which field it is", async () => {
    const { url } = await serverOf(fakeCacheAdmin());
    const { code, stderr } = await runSluice(["cache", "purge", "--prompt", "A B", "--server", url]);
    assert.equal(code, 2);
    assert.match(stderr, /^INVALID_REQUEST[\s\S]*prompt_name/);
  });

  it("ends with 3 where Redis is away, as text and as JSON", async () => {
    const away = { reason: "STORE_UNAVAILABLE", resource: "redis", limit: 0, retryAfterMs: 1000 } as const;
    const { url } = await serverOf(fakeCacheAdmin({ purge: () => Promise.reject(new SluiceError(away)) }));
    const args = ["cache", "purge", "--everything", "--server", url];
    const text = await runSluice(args);
    assert.deepEqual([text.code, text.stdout], [3, ""]);
    assert.match(text.stderr, /^STORE_UNAVAILABLE[\s\S]*redis[\s\S]*fix: Try again/);
    const json = await runSluice([...args, "--json"]);
    assert.deepEqual([json.code, json.stdout], [3, ""]);
    assert.match(JSON.stringify(JSON.parse(json.stderr)), /STORE_UNAVAILABLE/);
  });

  it("needs a key for operators where the server has keys", async () => {
    const cache = fakeCacheAdmin();
    const { url } = await startTestServer({ ports: { cache }, apiKeys });
    const env = { OPS: "admin-key", BILLING: "billing-key" };
    const args = ["cache", "purge", "--everything", "--server", url, "--api-key-env"];
    const refusal = await runSluice([...args, "BILLING"], { env });
    assert.equal(refusal.code, 1);
    assert.match(refusal.stderr, /^PERMISSION_DENIED: .*admin: true/);
    assert.equal((await runSluice([...args, "OPS"], { env })).code, 0);
    assert.deepEqual(cache.purged, [{ tenant: "acme" }]);
  });
});
