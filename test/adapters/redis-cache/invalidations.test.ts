import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Invalidation } from "../../../src/core/cache.ts";
import { tier } from "../../support/tiers.ts";
import { cacheFixture, keyOf, type RedisCache, until } from "./fixture.ts";

const STREAM = "sluice:invalidations";
const ofKey = (name: string): Invalidation => ({ kind: "key", key: keyOf(name) });

describe("Redis cache: invalidations", () => {
  const fixture = cacheFixture();

  tier("redis", (redis) => {
    /** What the cache heard. It hears from the moment on at which its reader waits for messages. */
    async function hearing(cache: RedisCache, url: string) {
      const heard: Invalidation[] = [];
      cache.onInvalidation((invalidation) => heard.push(invalidation));
      await until(async () => String(await fixture.admin(url).client("LIST")).includes("cmd=xread"));
      return heard;
    }

    async function own() {
      const server = await fixture.server(redis);
      const proxy = await fixture.proxy(server.port);
      return { server, proxy, admin: fixture.admin(server.url) };
    }

    it("reach the others, in their order, and not their sender", async () => {
      const { server } = await own();
      const [a, b] = [await fixture.ready(server.url), await fixture.ready(server.url)];
      const heardByB = await hearing(b, server.url);
      const heardByA = await hearing(a, server.url);
      const purge: Invalidation = { kind: "purge", filter: { tenant: "acme", model: "fast" } };
      for (const invalidation of [ofKey("one"), purge, ofKey("two")]) await a.announce(invalidation);
      await until(() => heardByB.length === 3);
      assert.deepEqual(heardByB, [ofKey("one"), purge, ofKey("two")]);
      await b.announce(ofKey("three"));
      await until(() => heardByA.length > 0);
      assert.deepEqual(heardByA, [ofKey("three")]);
    });

    it("are skipped when foreign or damaged, and a listener that fails is not the end", async () => {
      const { server, admin } = await own();
      const [a, b] = [await fixture.ready(server.url), await fixture.ready(server.url)];
      b.onInvalidation(() => {
        throw new Error("of the listener");
      });
      const heard = await hearing(b, server.url);
      await admin.xadd(STREAM, "*", "from", "somebody");
      await admin.xadd(STREAM, "*", "invalidation", "{");
      await admin.xadd(STREAM, "*", "invalidation", '{"sender":"x","kind":"key","key":7}');
      await a.announce(ofKey("good"));
      await until(() => heard.length > 0);
      assert.deepEqual(heard, [ofKey("good")]);
      assert.equal(fixture.logged("cache_invalidation_failed"), 1);
    });

    it("are heard by a reader that connects late, from about when it began on", async () => {
      const { server, proxy, admin } = await own();
      const a = await fixture.ready(server.url);
      const old = JSON.stringify({ sender: "x", kind: "purge", filter: {} });
      await admin.xadd(STREAM, `${Date.now() - 120_000}-0`, "invalidation", old);
      proxy.refuse();
      const b = fixture.cacheOf(proxy.url);
      const heard: Invalidation[] = [];
      b.onInvalidation((invalidation) => heard.push(invalidation));
      await until(() => fixture.logged("cache_invalidations_unavailable") === 1);
      await a.announce(ofKey("missed"));
      await proxy.accept();
      await until(() => heard.length > 0);
      await a.announce(ofKey("live"));
      await until(() => heard.length > 1);
      assert.deepEqual(heard, [ofKey("missed"), ofKey("live")]);
    });

    /** A reader that heard one message, is cut off, and finds the stream `meanwhile` left when it is back. */
    async function afterGap(meanwhile: (admin: Redis, a: RedisCache, lastId: string) => Promise<unknown>) {
      const { server, proxy, admin } = await own();
      const [a, b] = [await fixture.ready(server.url), await fixture.ready(proxy.url)];
      const old = JSON.stringify({ sender: "x", kind: "purge", filter: {} });
      await admin.xadd(STREAM, "1-1", "invalidation", old);
      const heard = await hearing(b, server.url);
      await a.announce(ofKey("first"));
      await until(() => heard.length === 1);
      proxy.refuse();
      proxy.cut();
      await until(() => fixture.logged("cache_invalidations_unavailable") === 1);
      await meanwhile(admin, a, (await admin.xrevrange(STREAM, "+", "-", "COUNT", 1))[0]?.[0] ?? "");
      await proxy.accept();
      await until(() => fixture.logged("cache_invalidations_missed") === 1);
      await a.announce(ofKey("live"));
      await until(() => heard.some((invalidation) => "key" in invalidation && invalidation.key === keyOf("live")));
      assert.equal(fixture.logged("cache_invalidations_missed"), 1);
      return heard;
    }

    it("that were heard long ago are not heard again where the last one is gone", async () => {
      const heard = await afterGap(async (admin, a, lastId) => {
        await a.announce(ofKey("second"));
        await admin.xdel(STREAM, lastId);
      });
      assert.deepEqual(heard, [ofKey("first"), ofKey("second"), ofKey("live")]);
    });

    it("are heard from a successor whose clock is behind and which lost the last one", async () => {
      const heard = await afterGap(async (admin, _, lastId) => {
        await admin.del(STREAM);
        const old = JSON.stringify({ sender: "x", kind: "purge", filter: {} });
        await admin.xadd(STREAM, "1-1", "invalidation", old);
        const behindMs = Number(lastId.split("-")[0]) - 2_000;
        const message = JSON.stringify({ sender: "x", kind: "key", key: keyOf("second") });
        await admin.xadd(STREAM, `${behindMs}-0`, "invalidation", message);
      });
      assert.deepEqual(heard, [ofKey("first"), ofKey("second"), ofKey("live")]);
    });

    it("are not taken by a full Redis, which is said, of keys and of purges", async () => {
      const { server, admin } = await own();
      const a = await fixture.ready(server.url);
      const purge: Invalidation = { kind: "purge", filter: { tenant: "acme" } };
      assert.equal(await a.announce(purge), true);
      assert.equal(await a.announce(ofKey("one")), true);
      await admin.config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
      assert.equal(await a.announce(purge), false);
      assert.equal(await a.announce(ofKey("one")), false);
      await admin.config("SET", "maxmemory", "0");
      assert.equal(
        await a.announce({ kind: "purge", filter: { tenant: "x".repeat(5_000) } }),
        false,
        "nobody reads it",
      );
      assert.equal(await admin.xlen(STREAM), 2);
    });

    it("of purges may take longer than an operation, and those of keys may not", async () => {
      const { proxy, admin } = await own();
      const a = await fixture.ready(proxy.url, { timeoutMs: 50 });
      proxy.delay(100);
      assert.equal(await a.announce(ofKey("one")), false);
      assert.equal(await a.announce({ kind: "purge", filter: {} }), true);
      proxy.delay(0);
      assert.ok(JSON.stringify(await admin.xrange(STREAM, "-", "+")).includes("purge"));
    });

    it("end with the cache, also while Redis stalls", async () => {
      const { proxy } = await own();
      const a = await fixture.ready(proxy.url);
      proxy.stall();
      const announced = a.announce({ kind: "purge", filter: {} });
      await a.close();
      assert.equal(await announced, false);
      assert.equal(await a.announce({ kind: "purge", filter: {} }), false);
    });

    it("that were announced while a reader was cut off reach it afterwards, each once", async () => {
      const { server, proxy } = await own();
      const [a, b] = [await fixture.ready(server.url), await fixture.ready(proxy.url)];
      const heard = await hearing(b, server.url);
      await a.announce(ofKey("first"));
      await until(() => heard.length === 1);
      proxy.refuse();
      proxy.cut();
      await until(() => fixture.logged("cache_invalidations_unavailable") === 1);
      for (let i = 0; i < 250; i++) await a.announce(ofKey(`missed-${i}`));
      await sleep(300);
      await proxy.accept();
      await until(() => heard.length >= 251);
      await a.announce(ofKey("last"));
      await until(() => heard.length >= 252);
      const missed = Array.from({ length: 250 }, (_, i) => ofKey(`missed-${i}`));
      assert.deepEqual(heard, [ofKey("first"), ...missed, ofKey("last")]);
      assert.equal(fixture.logged("cache_invalidations_missed"), 0);
      assert.equal(fixture.logged("cache_invalidations_unavailable"), 1, "an outage is said once");
    });

    it("that Redis lost are said to be missed, and those that come are heard", async () => {
      const { server } = await own();
      const b = await fixture.ready(server.url);
      const heard = await hearing(b, server.url);
      await (await fixture.ready(server.url)).announce(ofKey("first"));
      await until(() => heard.length === 1);
      await server.stop("SIGKILL");
      const again = await fixture.server(redis, server.port);
      const a = await fixture.ready(again.url);
      await a.announce(ofKey("second"));
      await until(() => heard.length === 2);
      assert.deepEqual(heard, [ofKey("first"), ofKey("second")]);
      assert.equal(fixture.logged("cache_invalidations_missed"), 1);
    });

    it("are tried again at leisure where the stream cannot be read", async () => {
      const { server, admin } = await own();
      await admin.set(STREAM, "not a stream");
      const b = await fixture.ready(server.url);
      const heard: Invalidation[] = [];
      b.onInvalidation((invalidation) => heard.push(invalidation));
      await until(() => fixture.logged("cache_invalidations_unavailable") === 1);
      await sleep(1_000);
      const tries = /total_connections_received:(\d+)/.exec(await admin.info("stats"))?.[1];
      assert.ok(Number(tries) < 15, `${tries} connections`);
      await admin.del(STREAM);
      await until(() => fixture.logged("cache_invalidations_ready") === 1, 15_000);
      await (await fixture.ready(server.url)).announce(ofKey("good"));
      await until(() => heard.length === 1);
    });

    it("do not grow without end", async () => {
      const { server, admin } = await own();
      const a = await fixture.ready(server.url, { timeoutMs: 5_000 });
      for (let round = 0; round < 24; round++) {
        await Promise.all(Array.from({ length: 500 }, (_, i) => a.announce(ofKey(`${round}-${i}`))));
      }
      const length = await admin.xlen(STREAM);
      assert.ok(length >= 10_000 && length < 10_300, `${length}`);
    });
  });
});
