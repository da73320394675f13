import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { AdminService, type PurgeCacheRequestSchema } from "../../gen/sluice/v1/admin_service_pb.ts";
import { LoadDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { CacheFilter } from "../../src/core/cache.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { fakeCacheAdmin, noLayerStats } from "./support/fake-ports.ts";
import { failureOf, inMemory } from "./support/in-memory.ts";

type PurgeInit = MessageInitShape<typeof PurgeCacheRequestSchema>;

const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
const apiKeys = [
  { id: "ops", tenant: "acme", sha256: sha256("admin-key"), admin: true },
  { id: "billing", tenant: "acme", sha256: sha256("billing-key") },
];
const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

describe("AdminService.PurgeCache", () => {
  const filters: readonly [PurgeInit, CacheFilter][] = [
    [{ everything: true }, { tenant: "acme" }],
    [{ tenant: "globex", everything: true }, { tenant: "globex" }],
    [{ allTenants: true, everything: true }, {}],
    [{ promptName: "greet" }, { tenant: "acme", promptName: "greet" }],
    [
      { promptName: "greet", promptVersion: "v2", allTenants: true },
      { promptName: "greet", promptVersion: "v2" },
    ],
    [
      { tenant: "globex", promptName: "greet", model: "a/b" },
      { tenant: "globex", promptName: "greet", model: "a/b" },
    ],
  ];
  for (const [request, filter] of filters) {
    it(`purges what ${JSON.stringify(request)} says`, async () => {
      const cache = fakeCacheAdmin({ purge: async () => ({ memory: 3 }) });
      const client = inMemory({ ports: { cache }, apiKeys }).client(AdminService);
      const { purgedFromMemory, purgedFromShared } = await client.purgeCache(request, as("admin-key"));
      assert.deepEqual([purgedFromMemory, purgedFromShared], [3n, undefined]);
      assert.deepEqual(cache.purged, [filter]);
    });
  }

  it("says what went from the shared layer, also where that is nothing", async () => {
    for (const shared of [0, 5]) {
      const cache = fakeCacheAdmin({ purge: async () => ({ memory: 0, shared }) });
      const { purgedFromShared } = await inMemory({ ports: { cache } })
        .client(AdminService)
        .purgeCache({ everything: true });
      assert.equal(purgedFromShared, BigInt(shared));
    }
  });

  const refused: readonly [PurgeInit, field: string][] = [
    [{}, "everything"],
    [{ tenant: "acme" }, "everything"],
    [{ allTenants: true }, "everything"],
    [{ everything: true, model: "fast" }, "everything"],
    [{ everything: true, promptName: "greet" }, "everything"],
    [{ everything: true, tenant: "acme", allTenants: true }, "tenant"],
    [{ promptVersion: "v1" }, "prompt_version"],
    [{ model: "fast", promptVersion: "v1" }, "prompt_version"],
    [{ everything: true, tenant: "A B" }, "tenant"],
    [{ everything: true, tenant: "a".repeat(65) }, "tenant"],
    [{ promptName: "../etc" }, "prompt_name"],
    [{ promptName: "p".repeat(65) }, "prompt_name"],
    [{ promptName: "greet", promptVersion: "latest" }, "prompt_version"],
    [{ promptName: "greet", promptVersion: "v1000000" }, "prompt_version"],
    [{ model: "m".repeat(129) }, "model"],
    [{ model: "a b" }, "model"],
  ];
  for (const [request, field] of refused) {
    it(`refuses ${JSON.stringify(request).slice(0, 60)} by the field ${field}, and purges nothing`, async () => {
      const cache = fakeCacheAdmin();
      const call = inMemory({ ports: { cache } }).client(AdminService).purgeCache(request);
      const { error, reason, fields } = await failureOf(call);
      assert.deepEqual([error.code, reason, fields], [Code.InvalidArgument, "INVALID_REQUEST", [field]]);
      assert.deepEqual(cache.purged, []);
    });
  }

  it("takes the longest names", async () => {
    const cache = fakeCacheAdmin();
    const request = {
      tenant: "a".repeat(64),
      promptName: "p".repeat(64),
      promptVersion: "v999999",
      model: "m".repeat(128),
    };
    await inMemory({ ports: { cache } }).client(AdminService).purgeCache(request);
    assert.deepEqual(cache.purged, [request]);
  });

  it("purges what is of tenant `local` where the service is open", async () => {
    const cache = fakeCacheAdmin();
    await inMemory({ ports: { cache } }).client(AdminService).purgeCache({ everything: true });
    assert.deepEqual(cache.purged, [{ tenant: "local" }]);
  });

  it("says in the log who purged what", async () => {
    const cache = fakeCacheAdmin({ purge: async () => ({ memory: 3, shared: 4 }) });
    const { log, client } = inMemory({ ports: { cache }, apiKeys });
    await client(AdminService).purgeCache({ allTenants: true, promptName: "greet" }, as("admin-key"));
    const [line] = log.lines.filter(({ event }) => event === "cache_purged");
    const { call_id, ...fields } = line?.fields ?? {};
    assert.ok(call_id);
    assert.deepEqual(fields, {
      ...{ key_id: "ops", tenant: "acme", memory: 3, shared: 4 },
      filter: { tenant: "*", prompt_name: "greet", prompt_version: undefined, model: undefined },
    });
  });

  it("answers STORE_UNAVAILABLE where the shared layer is away, and says in the log what was tried", async () => {
    const away = { reason: "STORE_UNAVAILABLE", resource: "redis", limit: 0, retryAfterMs: 1000 } as const;
    const purge = () => Promise.reject(new SluiceError(away));
    const { log, client } = inMemory({ ports: { cache: fakeCacheAdmin({ purge }) } });
    const { error, reason } = await failureOf(client(AdminService).purgeCache({ everything: true }));
    assert.deepEqual([error.code, reason], [Code.Unavailable, "STORE_UNAVAILABLE"]);
    assert.equal(error.findDetails(LoadDetailSchema)[0]?.resource, "redis");
    assert.ok(error.findDetails(RetryInfoSchema)[0]?.retryDelay);
    assert.deepEqual(
      log.lines.map(({ event }) => event),
      ["cache_purged_in_part"],
    );
  });

  it("answers INTERNAL for what nobody foresaw", async () => {
    const purge = () => Promise.reject(new Error("a bug"));
    const { client } = inMemory({ ports: { cache: fakeCacheAdmin({ purge }) } });
    assert.equal((await failureOf(client(AdminService).purgeCache({ everything: true }))).reason, "INTERNAL");
  });

  it("ends with the caller's deadline", async () => {
    const cache = fakeCacheAdmin({
      purge: (_, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    const { client } = inMemory({ ports: { cache }, deadlineMs: 50 });
    assert.equal((await failureOf(client(AdminService).purgeCache({ everything: true }))).reason, "DEADLINE_EXCEEDED");
  });
});

describe("AdminService.GetStatus", () => {
  const memory = {
    ...{ hits: 1, misses: 2, unknown: 0, stores: 3, unstored: 4, evictions: 5, entries: 6, bytes: 7 },
    lookUpMs: { p50: 0.5, p99: 1.5, max: 2.5 },
  };
  const flights = { joined: 8, taken: 9, takenOver: 10 };

  const statusOf = async (shared?: typeof noLayerStats & { isAway: boolean }) => {
    const cache = fakeCacheAdmin({ stats: () => ({ memory, shared, flights, savedNanoUsd: 11n }) });
    return await inMemory({ ports: { cache } }).client(AdminService).getStatus({});
  };

  it("says what the process is and what its cache did", async () => {
    const { version, startTime, cache } = await statusOf();
    assert.equal(version, "1.2.3");
    assert.equal(startTime && timestampDate(startTime).getTime(), 1_700_000_000_000);
    assert.ok(cache?.memory && cache.flights);
    const { $typeName: _, ...figures } = cache.memory;
    assert.deepEqual(figures, {
      ...{ hits: 1n, misses: 2n, unknown: 0n, stores: 3n, unstored: 4n, evictions: 5n, entries: 6n, bytes: 7n },
      ...{ lookUpP50Ms: 0.5, lookUpP99Ms: 1.5, lookUpMaxMs: 2.5, isAway: false },
    });
    const { joined, taken, takenOver } = cache.flights;
    assert.deepEqual([joined, taken, takenOver, cache.savedNanoUsd], [8n, 9n, 10n, 11n]);
    assert.equal(cache.shared, undefined);
  });

  it("says whether the shared layer is away, and nothing of what this process cannot know", async () => {
    for (const isAway of [true, false]) {
      const { cache } = await statusOf({ ...noLayerStats, unknown: 2, isAway });
      const { shared } = cache ?? {};
      assert.deepEqual([shared?.isAway, shared?.unknown], [isAway, 2n]);
      assert.deepEqual([shared?.evictions, shared?.entries, shared?.bytes], [undefined, undefined, undefined]);
    }
  });
});

describe("AdminService: who may", () => {
  it("refuses a key that is not for it, before it looks at the request, and does nothing", async () => {
    const cache = fakeCacheAdmin();
    const client = inMemory({ ports: { cache }, apiKeys }).client(AdminService);
    for (const call of [
      client.purgeCache({ everything: true }, as("billing-key")),
      client.purgeCache({}, as("billing-key")),
      client.getStatus({}, as("billing-key")),
    ]) {
      const { error, reason } = await failureOf(call);
      assert.deepEqual([error.code, reason], [Code.PermissionDenied, "PERMISSION_DENIED"]);
      assert.match(error.rawMessage, /admin: true/);
    }
    assert.deepEqual(cache.purged, []);
  });

  it("refuses callers without a key as everywhere", async () => {
    const client = inMemory({ apiKeys }).client(AdminService);
    assert.equal((await failureOf(client.getStatus({}))).reason, "UNAUTHENTICATED");
  });

  it("lets in the keys that are for it", async () => {
    const client = inMemory({ apiKeys }).client(AdminService);
    assert.equal((await client.getStatus({}, as("admin-key"))).version, "1.2.3");
  });
});
