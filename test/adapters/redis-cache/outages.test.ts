import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FAILURES_TO_OPEN } from "../../../src/adapters/redis-cache/breaker.ts";
import { freePort, startChild } from "../../support/child.ts";
import { findProgram } from "../../support/programs.ts";
import { tier } from "../../support/tiers.ts";
import { cacheFixture, entryOf, keyOf, MINUTE_MS, type RedisCache, textOf, until } from "./fixture.ts";

const entry = entryOf("an answer");
const key = keyOf("one");

describe("Redis cache: outages", () => {
  const fixture = cacheFixture();

  /** Everything a call does, which must come to nothing and not throw. */
  async function doesNothing(cache: RedisCache) {
    assert.deepEqual(await cache.look(key), { kind: "unknown" });
    assert.equal(await cache.set(key, entry, MINUTE_MS), false);
    assert.equal(await cache.delete(key), false);
    assert.deepEqual(await cache.claim(key), { kind: "unknown" });
    assert.equal(await cache.watch(key), undefined);
    assert.equal(await cache.announce({ kind: "key", key }), false);
  }

  async function worksAgain(cache: RedisCache) {
    await until(async () => {
      await cache.set(key, entry, MINUTE_MS);
      return textOf(await cache.look(key)) === "an answer";
    });
    assert.equal(cache.stats().isAway, false);
  }

  it("is unknown without a Redis, and says so once", async () => {
    const cache = fixture.cacheOf("redis://127.0.0.1:1");
    cache.onInvalidation(() => {});
    await until(() => fixture.events().length === 2);
    await doesNothing(cache);
    await sleep(300);
    assert.deepEqual(fixture.events().sort(), ["cache_invalidations_unavailable", "redis_unavailable"]);
    const { isAway, unknown, unstored } = cache.stats();
    assert.deepEqual({ isAway, unknown, unstored }, { isAway: true, unknown: 1, unstored: 1 });
  });

  it("can be closed before it ever connected, twice", async () => {
    const cache = fixture.cacheOf("redis://127.0.0.1:1");
    cache.onInvalidation(() => {});
    await cache.close();
    await cache.close();
    await doesNothing(cache);
  });

  tier("redis", (redis) => {
    async function behindProxy(timeoutMs: number) {
      const server = await fixture.server(redis);
      const proxy = await fixture.proxy(server.port);
      const cache = await fixture.ready(proxy.url, { timeoutMs });
      await cache.set(key, entry, MINUTE_MS);
      return { server, proxy, cache };
    }

    it("is unknown while Redis stalls, stops asking, takes no more than it may, and works again", async () => {
      const { proxy, cache } = await behindProxy(100);
      proxy.stall();
      const asked = await Promise.all(Array.from({ length: 3_000 }, () => cache.look(key)));
      assert.deepEqual(new Set(asked.map(textOf)), new Set(["unknown"]));
      assert.equal(fixture.logged("redis_breaker_open"), 1);
      await doesNothing(cache);
      proxy.resume();
      await worksAgain(cache);
      assert.equal(fixture.logged("redis_breaker_closed"), 1);
    });

    it("closes while Redis stalls", async () => {
      const { proxy, cache } = await behindProxy(100);
      cache.onInvalidation(() => {});
      await cache.claim(key);
      await until(() => proxy.connections().open === 2);
      proxy.stall();
      const closed = await Promise.race([cache.close().then(() => "closed"), sleep(4_000, "still open")]);
      assert.equal(closed, "closed");
      proxy.resume();
      await until(() => proxy.connections().open === 0);
    });

    it("gives up what is slower than its budget, and not what is as slow as it may be", async () => {
      const { proxy, cache } = await behindProxy(300);
      proxy.delay(300);
      assert.equal(textOf(await cache.look(key)), "unknown");
      proxy.delay(20);
      await worksAgain(cache);
    });

    it("survives a cut in the middle of everything", async () => {
      const { proxy, cache } = await behindProxy(500);
      proxy.delay(50);
      const asked: Promise<unknown>[] = Array.from({ length: 200 }, (_, i) =>
        i % 2 ? cache.look(key) : cache.set(keyOf(`${i}`), entry, 1_000),
      );
      asked.push(
        cache.claim(key).then(() => {}),
        cache.watch(key).then(() => {}),
      );
      setTimeout(proxy.cut, 30);
      await Promise.all(asked);
      proxy.delay(0);
      await worksAgain(cache);
    });

    it("survives a Redis that is killed, and finds the one that takes its place", async () => {
      const server = await fixture.server(redis);
      const cache = await fixture.ready(server.url);
      const asked = Array.from({ length: 50 }, () => cache.look(key));
      await server.stop("SIGKILL");
      for (const look of await Promise.all(asked)) assert.notEqual(look.kind, "hit");
      await until(() => cache.stats().isAway);
      await doesNothing(cache);
      await fixture.server(redis, server.port);
      await worksAgain(cache);
    });

    it("reads on where Redis cannot write: full, or a replica", async () => {
      const server = await fixture.server(redis);
      const admin = fixture.admin(server.url);
      const cache = await fixture.ready(server.url);
      await cache.set(key, entry, MINUTE_MS);
      const writes = async () => {
        for (let i = 0; i < FAILURES_TO_OPEN * 2; i++) await cache.set(keyOf(`more-${i}`), entry, MINUTE_MS);
        return cache.stats().unstored;
      };
      await admin.config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
      assert.equal(await writes(), FAILURES_TO_OPEN * 2);
      assert.equal(textOf(await cache.look(key)), "an answer");
      await admin.config("SET", "maxmemory", "0");
      await admin.replicaof("127.0.0.1", "1");
      assert.equal(await writes(), FAILURES_TO_OPEN * 4);
      // It connects once more, since a primary may have taken the name.
      await until(async () => textOf(await cache.look(key)) === "an answer");
      await writes();
      assert.equal(textOf(await cache.look(key)), "an answer");
      await admin.replicaof("NO", "ONE");
      await worksAgain(cache);
      assert.equal(fixture.logged("redis_breaker_open"), 0);
    });

    it("is unknown with a wrong password, and works once it is right", async () => {
      const server = await fixture.server(redis);
      const admin = fixture.admin(server.url);
      await admin.config("SET", "requirepass", "right");
      const cache = fixture.cacheOf(server.url.replace("//", "//:wrong@"));
      await until(() => fixture.logged("redis_unavailable") === 1);
      await doesNothing(cache);
      await assert.rejects(cache.purge({}, new AbortController().signal), {
        name: "CacheAwayError",
        message: /WRONGPASS/,
      });
      await admin.config("SET", "requirepass", "wrong");
      await worksAgain(cache);
    });

    it("is unknown while Redis loads its data, and works afterwards", async () => {
      const program = findProgram("redis-server");
      assert.ok(program);
      const port = await freePort();
      const folder = await mkdtemp(join(tmpdir(), "sluice-redis-"));
      fixture.cleanUp(() => rm(folder, { recursive: true }));
      const slow = ["--enable-debug-command", "yes", "--key-load-delay", "10000"];
      const often = ["--loading-process-events-interval-bytes", "1024"];
      const where = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
      const child = await startChild(program, [...where, ...slow, ...often]);
      fixture.cleanUp(() => child.stop("SIGKILL"));
      await child.line((line) => line.includes("Ready to accept connections") || undefined);
      const url = `redis://127.0.0.1:${port}`;
      const admin = fixture.admin(url);
      admin.on("error", () => {});
      await admin.call("DEBUG", "POPULATE", "300", "filler", "500");
      const cache = await fixture.ready(url);
      await cache.set(key, entry, MINUTE_MS);
      const other = fixture.admin(url);
      await other.ping();
      const reloaded = admin.call("DEBUG", "RELOAD");
      await until(() =>
        other.ping().then(
          () => false,
          (error: Error) => error.message.startsWith("LOADING"),
        ),
      );
      await doesNothing(cache);
      const late = fixture.cacheOf(url);
      await sleep(300);
      await doesNothing(late);
      await reloaded;
      await worksAgain(late);
      await worksAgain(cache);
    });
  });
});
