import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Redis } from "ioredis";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { OPEN_MS } from "../../src/adapters/redis-cache/breaker.ts";
import { createRedisCache } from "../../src/adapters/redis-cache.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Log } from "../../src/core/log.ts";
import { tier } from "../support/tiers.ts";

const completion = create(CompletionSchema, { text: "an answer", model: "fast" });
const MINUTE_MS = 60_000;

describe("Redis cache", () => {
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  const log: Log = { isEnabled: () => true, debug() {}, info: note, warn: note, error: note };
  const cleanUps: (() => Promise<unknown> | unknown)[] = [];

  beforeEach(() => void events.splice(0));
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  function cacheOf(url: string, timeoutMs = 500) {
    const cache = createRedisCache({ url, timeoutMs, log, clock: systemClock });
    cleanUps.push(() => cache.close());
    return cache;
  }

  it("is a miss without a Redis, and says so once", async () => {
    const cache = cacheOf("redis://127.0.0.1:1");
    await until(() => events.length > 0);
    await cache.set("key", completion, MINUTE_MS);
    assert.equal(await cache.get("key"), undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(events, ["redis_unavailable"]);
  });

  it("can be closed before it ever connected", async () => {
    const cache = createRedisCache({ url: "redis://127.0.0.1:1", timeoutMs: 50, log, clock: systemClock });
    await cache.close();
    await cache.close();
    assert.equal(await cache.get("key"), undefined);
  });

  it("refuses a timeout that is none", () => {
    for (const timeoutMs of [0, -1, Number.NaN]) {
      assert.throws(
        () => createRedisCache({ url: "redis://127.0.0.1:1", timeoutMs, log, clock: systemClock }),
        RangeError,
      );
    }
  });

  tier("redis", (redis) => {
    async function ready(url: string, timeoutMs?: number) {
      events.splice(0);
      const cache = cacheOf(url, timeoutMs);
      await until(() => events.includes("redis_ready"));
      return cache;
    }

    async function ownServer(port?: number) {
      const server = await redis.start(port);
      cleanUps.push(() => server.stop());
      return server;
    }

    async function adminOf(url: string) {
      const admin = new Redis(url);
      cleanUps.push(() => admin.disconnect());
      return admin;
    }

    it("stores for all processes, under a key that a cluster can place, for the TTL", async () => {
      const url = await redis.url();
      const admin = await adminOf(url);
      await (await ready(url)).set("0a1b", completion, MINUTE_MS);
      assert.deepEqual(await (await ready(url)).get("0a1b"), completion);
      const ttlMs = await admin.pttl("sluice:{0a1b}");
      assert.ok(ttlMs > 0 && ttlMs <= MINUTE_MS);
    });

    it("answers many at once", async () => {
      const cache = await ready(await redis.url(), 5_000);
      const keys = Array.from({ length: 500 }, (_, i) => `many-${i}`);
      await Promise.all(keys.map((key) => cache.set(key, create(CompletionSchema, { text: key }), MINUTE_MS)));
      const texts = (await Promise.all(keys.map((key) => cache.get(key)))).map((found) => found?.text);
      assert.deepEqual(texts, keys);
    });

    it("takes foreign values and types for misses, and goes on", async () => {
      const url = await redis.url();
      const admin = await adminOf(url);
      const cache = await ready(url);
      await admin.set("sluice:{foreign}", "not ours");
      await admin.del("sluice:{list}");
      await admin.lpush("sluice:{list}", "a", "b");
      for (let i = 0; i < 10; i++) {
        assert.equal(await cache.get("foreign"), undefined);
        assert.equal(await cache.get("list"), undefined);
      }
      await cache.set("ours", completion, MINUTE_MS);
      assert.deepEqual(await cache.get("ours"), completion);
    });

    it("stores nothing without a TTL", async () => {
      const cache = await ready(await redis.url());
      for (const ttlMs of [0, -5, 0.2, Number.NaN]) await cache.set("no-ttl", completion, ttlMs);
      assert.equal(await cache.get("no-ttl"), undefined);
    });

    it("is a miss while Redis does not answer, stops asking, and hits again afterwards", async () => {
      const server = await ownServer();
      const cache = await ready(server.url, 100);
      await cache.set("key", completion, MINUTE_MS);
      assert.ok(server.pid);
      process.kill(server.pid, "SIGSTOP");
      try {
        for (let i = 0; i < 10; i++) assert.equal(await cache.get("key"), undefined);
        assert.ok(events.includes("redis_breaker_open"));
      } finally {
        process.kill(server.pid, "SIGCONT");
      }
      await new Promise((resolve) => setTimeout(resolve, OPEN_MS));
      await until(async () => (await cache.get("key"))?.text === completion.text);
      assert.ok(events.includes("redis_breaker_closed"));
    });

    it("survives a Redis that is killed, and finds the one that takes its place", async () => {
      const first = await ownServer();
      const cache = await ready(first.url);
      const asked = Array.from({ length: 50 }, () => cache.get("key"));
      await first.stop("SIGKILL");
      assert.deepEqual(new Set(await Promise.all(asked)), new Set([undefined]));
      assert.equal(await cache.get("key"), undefined);
      await ownServer(first.port);
      await until(async () => {
        await cache.set("key", completion, MINUTE_MS);
        return (await cache.get("key"))?.text === completion.text;
      });
    });

    it("reads on when Redis is out of memory and cannot store", async () => {
      const server = await ownServer();
      const admin = await adminOf(server.url);
      const cache = await ready(server.url);
      await cache.set("before", completion, MINUTE_MS);
      await admin.config("SET", "maxmemory-policy", "noeviction");
      await admin.config("SET", "maxmemory", "1mb");
      for (let i = 0; i < 10; i++) await cache.set(`after-${i}`, completion, MINUTE_MS);
      assert.equal(await cache.get("after-9"), undefined);
      assert.deepEqual(await cache.get("before"), completion);
      assert.ok(!events.includes("redis_breaker_open"));
    });
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("it did not come true within 10 s");
}
