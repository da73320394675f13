import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { MAX_COMPLETION_BYTES } from "../../../src/adapters/redis-cache/entry.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { tier } from "../../support/tiers.ts";
import { cacheFixture, entryOf, keyOf, MINUTE_MS, textOf } from "./fixture.ts";

/** Random text, so that it stays as large as it is: hex shrinks to about half. */
const largeOf = (bytes: number) => entryOf(randomBytes(bytes).toString("hex"));

const entry = entryOf("an answer", { promptName: "sum-up", promptVersion: "v3" });

describe("Redis cache: look and set", () => {
  const fixture = cacheFixture();

  it("refuses times that are none", () => {
    for (const wrong of [0, -1, Number.NaN]) {
      assert.throws(() => fixture.cacheOf("redis://127.0.0.1:1", { timeoutMs: wrong }), RangeError);
      assert.throws(() => fixture.cacheOf("redis://127.0.0.1:1", { leaseMs: wrong }), RangeError);
    }
  });

  tier("redis", (redis) => {
    it("shares what is stored, with its tags and what is left of its life, under a key that a cluster can place", async () => {
      const url = await redis.url();
      const key = keyOf("shared");
      await (await fixture.ready(url)).set(key, entry, MINUTE_MS);
      const look = await (await fixture.ready(url)).look(key);
      assert.ok(look.kind === "hit");
      assert.deepEqual(look.entry, entry);
      const ttlMs = await fixture.admin(url).pttl(`sluice:{${key}}`);
      assert.ok(look.remainingMs >= ttlMs && look.remainingMs <= MINUTE_MS && ttlMs > MINUTE_MS * 0.9 - 5_000);
    });

    it("takes up to a tenth off the TTL", async () => {
      const url = await redis.url();
      const admin = fixture.admin(url);
      for (const [random, lifeMs] of [
        [0, 600_000],
        [0.5, 570_000],
        [0.999_999, 540_000],
      ] as const) {
        const cache = await fixture.ready(url, { clock: { ...systemClock, random: () => random } });
        await cache.set(keyOf("jitter"), entry, 600_000);
        const ttlMs = await admin.pttl(`sluice:{${keyOf("jitter")}}`);
        assert.ok(ttlMs <= lifeMs && ttlMs > lifeMs - 10_000, `${ttlMs} of ${lifeMs}`);
      }
    });

    it("stores nothing without a TTL", async () => {
      const cache = await fixture.ready(await redis.url());
      for (const ttlMs of [0, -5, 0.2, Number.NaN]) await cache.set(keyOf("no ttl"), entry, ttlMs);
      assert.equal(textOf(await cache.look(keyOf("no ttl"))), "miss");
    });

    it("forgets when the TTL is over", async () => {
      const cache = await fixture.ready(await redis.url());
      await cache.set(keyOf("short"), entry, 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(textOf(await cache.look(keyOf("short"))), "miss");
    });

    it("answers many at once, small and large", async () => {
      const cache = await fixture.ready(await redis.url(), { timeoutMs: 5_000 });
      const keys = Array.from({ length: 500 }, (_, i) => keyOf(`many-${i}`));
      const text = (key: string) => key.repeat(key.endsWith("0") ? 1_000 : 1);
      await Promise.all(keys.map((key) => cache.set(key, entryOf(text(key)), MINUTE_MS)));
      assert.deepEqual((await Promise.all(keys.map((key) => cache.look(key)))).map(textOf), keys.map(text));
    });

    it("gives large ones to those who look, watch and claim", async () => {
      const cache = await fixture.ready(await redis.url(), { timeoutMs: 5_000 });
      for (const bytes of [20_000, 60_000, 64_000, 66_000, 130_000, 2_000_000]) {
        const [key, large] = [keyOf(`large-${bytes}`), largeOf(bytes)];
        assert.equal(await cache.set(key, large, MINUTE_MS), true);
        const claim = await cache.claim(key);
        assert.ok(claim.kind === "lease");
        for (const look of [await cache.look(key), (await cache.watch(key))?.found, claim.found]) {
          assert.ok(look?.kind === "hit" && look.entry.completion.text === large.completion.text, `${bytes} bytes`);
        }
        await claim.lease.release();
      }
    });

    it("reads no more at once than it has room for, and then again", async () => {
      const cache = await fixture.ready(await redis.url(), { timeoutMs: 10_000 });
      const key = keyOf("largest");
      assert.equal(await cache.set(key, largeOf(2_000_000), MINUTE_MS), true);
      for (let round = 0; round < 2; round++) {
        const looks = (await Promise.all(Array.from({ length: 200 }, () => cache.look(key)))).map(({ kind }) => kind);
        const hits = looks.filter((kind) => kind === "hit").length;
        assert.ok(hits > 0 && hits < 200, `${hits} hits`);
        assert.equal(looks.filter((kind) => kind === "unknown").length, 200 - hits);
      }
      const watched = await Promise.all(Array.from({ length: 200 }, () => cache.watch(key)));
      assert.ok(watched.some((seen) => seen === undefined) && watched.every((seen) => seen?.found.kind !== "miss"));
      assert.equal((await cache.look(key)).kind, "hit");
    });

    it("says whether it is stored, and whether it is gone", async () => {
      const server = await fixture.server(redis);
      const admin = fixture.admin(server.url);
      const cache = await fixture.ready(server.url);
      const key = keyOf("here");
      assert.equal(await cache.set(key, entry, MINUTE_MS), true);
      assert.equal(await cache.set(key, entryOf("x".repeat(MAX_COMPLETION_BYTES + 1)), MINUTE_MS), false);
      assert.equal(await cache.set(key, entry, 0), false);
      await admin.config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
      assert.equal(await cache.set(key, entry, MINUTE_MS), false);
      assert.equal(await cache.delete(key), true);
      assert.equal(textOf(await cache.look(key)), "miss");
      assert.equal(await cache.delete(key), true, "there was nothing");
      await admin.replicaof("127.0.0.1", "1");
      assert.equal(await cache.delete(key), false);
      assert.equal(await fixture.cacheOf("redis://127.0.0.1:1").delete(key), false);
    });

    it("takes damaged and foreign values, of other types too, and those without an end for misses, and goes on", async () => {
      const url = await redis.url();
      const admin = fixture.admin(url);
      const cache = await fixture.ready(url);
      const nameOf = (name: string) => `sluice:{${keyOf(name)}}`;
      await cache.set(keyOf("ours"), entry, MINUTE_MS);
      const bytes = await admin.getBuffer(nameOf("ours"));
      assert.ok(bytes);
      await admin.set(nameOf("foreign"), "not ours", "PX", MINUTE_MS);
      await admin.set(nameOf("elsewhere"), bytes, "PX", MINUTE_MS);
      await admin.set(nameOf("damaged"), Buffer.concat([bytes.subarray(0, -1), Buffer.of(7)]), "PX", MINUTE_MS);
      await admin.set(nameOf("huge"), Buffer.alloc(6_000_000, 2), "PX", MINUTE_MS);
      await admin.lpush(nameOf("list"), "a", "b");
      await cache.set(keyOf("endless"), entry, MINUTE_MS);
      await admin.persist(nameOf("endless"));
      for (let i = 0; i < 10; i++) {
        for (const name of ["foreign", "elsewhere", "damaged", "huge", "list", "endless", "absent"]) {
          assert.equal(textOf(await cache.look(keyOf(name))), "miss", name);
        }
      }
      assert.equal(textOf(await cache.look(keyOf("ours"))), "an answer");
      await cache.set(keyOf("list"), entry, MINUTE_MS);
      assert.equal(textOf(await cache.look(keyOf("list"))), "an answer", "what is foreign gives way");
    });

    it("counts, and measures look-ups", async () => {
      const cache = await fixture.ready(await redis.url());
      assert.deepEqual(cache.stats(), {
        ...{ hits: 0, misses: 0, unknown: 0, stores: 0, unstored: 0, isAway: false },
        lookUpMs: { p50: 0, p99: 0, max: 0 },
      });
      await cache.set(keyOf("counted"), entry, MINUTE_MS);
      await cache.set(keyOf("too large"), entryOf("x".repeat(MAX_COMPLETION_BYTES + 1)), MINUTE_MS);
      for (const name of ["counted", "counted", "too large"]) await cache.look(keyOf(name));
      const { lookUpMs, ...counts } = cache.stats();
      assert.deepEqual(counts, { hits: 2, misses: 1, unknown: 0, stores: 1, unstored: 1, isAway: false });
      assert.ok(lookUpMs.p50 > 0 && lookUpMs.p50 <= lookUpMs.p99 && lookUpMs.p99 <= lookUpMs.max * 1.001);
    });
  });
});
