import assert from "node:assert/strict";
import { CacheAwayError, type Invalidation } from "../../src/core/cache.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { keepNear, store } from "../../src/pipeline/cache.ts";
import { createCacheAdmin, hear } from "../../src/pipeline/cache-admin.ts";
import { Flights } from "../../src/pipeline/flight.ts";
import { target } from "../support/models.ts";
import { pipelinePorts } from "../support/pipeline-ports.ts";
import { entryOf, SharedStore } from "../support/shared-cache.ts";

const signal = new AbortController().signal;
const plan = { ttlMs: 60_000, since: 0, isRefresh: false };

describe("a purge", () => {
  function layers(replaced: Parameters<SharedStore["process"]>[0] = {}) {
    const shared = new SharedStore();
    const cache = { ...pipelinePorts([target()]).cache, shared: shared.process(replaced) };
    const flights = new Flights();
    return { shared, cache, flights, admin: createCacheAdmin({ cache, flights }) };
  }

  it("reaches memory and the shared layer, and is announced before and after", async () => {
    const heard: Invalidation[] = [];
    const order: string[] = [];
    const { cache, admin } = layers({
      announce: async (news) => {
        heard.push(news);
        order.push("announce");
        return true;
      },
      purge: async () => {
        order.push("purge");
        return 3;
      },
    });
    await cache.memory.set("key", entryOf("x"), 60_000);
    assert.deepEqual(await admin.purge({ tenant: "acme" }, signal), { memory: 1, shared: 3 });
    assert.deepEqual(order, ["announce", "purge", "announce"]);
    assert.deepEqual(heard[1], { kind: "purge", filter: { tenant: "acme" } });
    assert.equal(await cache.memory.get("key"), undefined);
  });

  it("fails where the shared layer goes away, and where the other processes cannot be told", async () => {
    const isAway = (error: unknown) =>
      error instanceof SluiceError &&
      error.failure.reason === "STORE_UNAVAILABLE" &&
      error.failure.resource === "redis";
    const purge = () => Promise.reject(new CacheAwayError("gone"));
    await assert.rejects(layers({ purge }).admin.purge({}, signal), isAway);
    await assert.rejects(layers({ announce: async () => false }).admin.purge({}, signal), isAway);
  });

  it("lets nobody else join the answers that are being made", async () => {
    const { flights, admin } = layers();
    flights.start("key", async function* () {});
    await admin.purge({ model: "fast" }, signal);
    assert.equal(flights.find("key"), undefined);
  });

  it("keeps an answer that was begun before it from being stored, or stored behind its back", async () => {
    const { cache, shared, admin } = layers();
    const since = cache.invalidations.count;
    await admin.purge({ model: "fast" }, signal);
    await (await store(cache, "late", entryOf("x"), { ...plan, since })).shared;
    assert.equal(shared.entries.size, 0);

    const slow = layers({
      set: async (key, entry) => {
        await slow.admin.purge({ model: "fast" }, signal);
        slow.shared.entries.set(key, entry);
        return true;
      },
    });
    await (await store(slow.cache, "behind", entryOf("x"), plan)).shared;
    assert.equal(slow.shared.entries.size, 0);
    assert.equal(await slow.cache.memory.get("behind"), undefined);
  });

  it("that another process made takes what was stored here before its news came", async () => {
    const { cache, shared, flights } = layers();
    await (await store(cache, "mine", entryOf("x"), plan)).shared;
    await (await store(cache, "other", entryOf("y", { models: ["slow"] }), plan)).shared;
    hear({ cache, flights }, { kind: "purge", filter: { model: "fast" } });
    await new Promise(setImmediate);
    assert.deepEqual([...shared.entries.keys()], ["other"]);
    assert.equal(await cache.memory.get("mine"), undefined);
  });
});

describe("a refresh", () => {
  it("is not undone by an older answer that comes later, nor by one on its way into memory", async () => {
    const { cache } = pipelinePorts([target()]);
    const { count: since } = cache.invalidations;
    await store(cache, "key", entryOf("new"), { ...plan, since, isRefresh: true });
    await store(cache, "key", entryOf("old"), { ...plan, since });
    await keepNear(cache, "key", { entry: entryOf("old"), remainingMs: 60_000 }, since);
    assert.equal((await cache.memory.get("key"))?.completion.text, "new");
  });

  it("that cannot be stored does not let the old answer come back", async () => {
    const heard: Invalidation[] = [];
    const shared = new SharedStore();
    const announce = async (news: Invalidation) => heard.push(news) > 0;
    const layer = shared.process({ set: async () => false, announce });
    const cache = { ...pipelinePorts([target()]).cache, shared: layer };
    shared.entries.set("key", entryOf("old"));
    await (await store(cache, "key", entryOf("new"), { ...plan, isRefresh: true })).shared;
    assert.equal(shared.entries.size, 0);
    assert.deepEqual(heard, [{ kind: "key", key: "key" }]);
  });
});
