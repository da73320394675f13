import assert from "node:assert/strict";
import { CacheAwayError, type CacheFilter } from "../../../src/core/cache.ts";
import { tier } from "../../support/tiers.ts";
import { cacheFixture, entryOf, keyOf, MINUTE_MS, textOf } from "./fixture.ts";

const never = new AbortController().signal;

describe("Redis cache: purge", () => {
  const fixture = cacheFixture();

  it("says when Redis is away", async () => {
    await assert.rejects(fixture.cacheOf("redis://127.0.0.1:1").purge({}, never), CacheAwayError);
  });

  tier("redis", (redis) => {
    it("removes what fits, counts it, and nothing else", async () => {
      const server = await fixture.server(redis);
      const admin = fixture.admin(server.url);
      const cache = await fixture.ready(server.url);
      const entries = {
        a: entryOf("a", { tenant: "acme", promptName: "sum-up", promptVersion: "v1" }),
        b: entryOf("b", { tenant: "acme", promptName: "sum-up", promptVersion: "v2", models: ["fast", "careful"] }),
        c: entryOf("c", { tenant: "zeta", promptName: "sum-up", promptVersion: "v1", models: ["careful"] }),
        d: entryOf("d ".repeat(10_000), { tenant: "zeta" }),
      };
      const left = async () => {
        const found = await Promise.all(Object.keys(entries).map((name) => cache.look(keyOf(name))));
        return Object.keys(entries)
          .filter((_, i) => found[i]?.kind === "hit")
          .join("");
      };
      const cases: [CacheFilter, string][] = [
        [{ tenant: "nobody" }, "abcd"],
        [{ tenant: "acme" }, "cd"],
        [{ promptName: "sum-up" }, "d"],
        [{ promptName: "sum-up", promptVersion: "v1" }, "bd"],
        [{ tenant: "zeta", promptName: "sum-up", promptVersion: "v1" }, "abd"],
        [{ model: "careful" }, "ad"],
        [{ tenant: "acme", model: "careful" }, "acd"],
        [{}, ""],
      ];
      for (const [filter, expected] of cases) {
        for (const [name, entry] of Object.entries(entries)) await cache.set(keyOf(name), entry, MINUTE_MS);
        assert.equal(await cache.purge(filter, never), 4 - expected.length, JSON.stringify(filter));
        assert.equal(await left(), expected, JSON.stringify(filter));
      }
      assert.equal(await admin.dbsize(), 0);
    });

    it("leaves leases, invalidations and other programs' keys, and takes what is damaged only with everything", async () => {
      const server = await fixture.server(redis);
      const admin = fixture.admin(server.url);
      const cache = await fixture.ready(server.url);
      const claim = await cache.claim(keyOf("one"));
      await cache.announce({ kind: "key", key: keyOf("one") });
      for (const name of ["other", "sluice", "sluice:{x}", `sluice:{${keyOf("a")}}:more`, `x:sluice:{${keyOf("a")}}`]) {
        await admin.set(name, "theirs");
      }
      const keep = await admin.dbsize();
      await cache.set(keyOf("one"), entryOf("ours"), MINUTE_MS);
      await admin.set(`sluice:{${keyOf("damaged")}}`, "damaged");
      await admin.lpush(`sluice:{${keyOf("list")}}`, "list");
      assert.equal(await cache.purge({ tenant: "acme" }, never), 1);
      assert.equal(await admin.dbsize(), keep + 2);
      assert.equal(await cache.purge({}, never), 2);
      assert.equal(await admin.dbsize(), keep);
      assert.equal(claim.kind === "lease" && (await admin.exists(`sluice:{${keyOf("one")}}:lease`)), 1);
    });

    it("finds every one of thousands among thousands of others", async () => {
      const server = await fixture.server(redis);
      const admin = fixture.admin(server.url);
      const cache = await fixture.ready(server.url, { timeoutMs: 5_000 });
      await admin.mset(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`other-${i}`, "x"])));
      for (let round = 0; round < 10; round++) {
        const numbers = Array.from({ length: 300 }, (_, i) => round * 300 + i);
        const store = (i: number) =>
          cache.set(keyOf(`many-${i}`), entryOf("x", { tenant: i % 3 ? "acme" : "zeta" }), MINUTE_MS);
        await Promise.all(numbers.map(store));
      }
      assert.equal(await cache.purge({ tenant: "acme" }, never), 2_000);
      assert.equal(await cache.purge({}, never), 1_000);
      assert.equal(await admin.dbsize(), 5_000);
    });

    it("ends with the signal's reason", async () => {
      const server = await fixture.server(redis);
      const proxy = await fixture.proxy(server.port);
      const cache = await fixture.ready(proxy.url);
      const reason = new Error("enough");
      await assert.rejects(cache.purge({}, AbortSignal.abort(reason)), reason);
      proxy.stall();
      const controller = new AbortController();
      const purging = cache.purge({}, controller.signal);
      setTimeout(() => controller.abort(reason), 50);
      await assert.rejects(purging, reason);
    });

    it("says when Redis stalls, cannot write, or goes away before the end", async () => {
      const server = await fixture.server(redis);
      const proxy = await fixture.proxy(server.port);
      const admin = fixture.admin(server.url);
      const cache = await fixture.ready(proxy.url);
      await cache.set(keyOf("one"), entryOf("x"), MINUTE_MS);
      await admin.replicaof("127.0.0.1", "1");
      await assert.rejects(cache.purge({}, never), { name: "CacheAwayError", message: /READONLY/ });
      await admin.replicaof("NO", "ONE");
      proxy.stall();
      await assert.rejects(cache.purge({}, never), CacheAwayError);
      proxy.resume();
      proxy.delay(200);
      const purging = cache.purge({}, never);
      setTimeout(() => proxy.cut(), 500);
      await assert.rejects(purging, CacheAwayError);
      proxy.delay(0);
      assert.equal(await cache.purge({}, never), 1);
      assert.equal(textOf(await fixture.cacheOf(server.url).look(keyOf("one"))), "unknown");
    });
  });
});
