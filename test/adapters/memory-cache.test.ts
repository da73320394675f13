import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "@bufbuild/protobuf";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { createMemoryCache, noMemoryCache } from "../../src/adapters/memory-cache.ts";
import type { CacheEntry, CacheFilter, CacheTags, MemoryCache } from "../../src/core/cache.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";

function movableClock(random = 0): Clock & { advance(ms: number): void } {
  let now = 0;
  return {
    ...systemClock,
    monotonicMs: () => now,
    random: () => random,
    advance: (ms) => {
      now += ms;
    },
  };
}

const completion = (text: string) =>
  create(CompletionSchema, { text, model: "fast", attempts: [{ number: 1, costNanoUsd: 7n }] });

const entry = (text: string, tags: Partial<CacheTags> = {}): CacheEntry => ({
  completion: completion(text),
  tags: { tenant: "acme", promptName: "greet", promptVersion: "v1", models: ["fast"], ...tags },
});

const memory = (maxBytes = 100_000, clock: Clock = movableClock()) => createMemoryCache({ maxBytes, clock });

const counts = (cache: MemoryCache) => {
  const { lookUpMs: _, bytes: __, ...rest } = cache.stats();
  return rest;
};

const none = { hits: 0, misses: 0, unknown: 0, stores: 0, unstored: 0, evictions: 0, entries: 0 };

/** Until all memory of what was purged is free. */
async function untilFree(cache: MemoryCache): Promise<void> {
  while (cache.stats().bytes !== 0) await nextTurn();
}

describe("memory cache", () => {
  it("gives back what was stored, field by field, with its tags", async () => {
    const cache = memory();
    await cache.set("key", entry("an answer"), 1_000);
    assert.deepEqual(await cache.get("key"), entry("an answer"));
    assert.equal(await cache.get("another key"), undefined);
  });

  it("keeps what it holds out of callers' reach", async () => {
    const cache = memory();
    const models = ["fast"];
    const given = entry("an answer", { models });
    await cache.set("key", given, 1_000);
    given.completion.text = "changed after storing";
    models.push("changed");
    const first = await cache.get("key");
    assert.ok(first);
    first.completion.text = "changed after reading";
    first.completion.attempts.length = 0;
    assert.deepEqual(await cache.get("key"), entry("an answer"));
  });

  it("forgets at the end of the TTL", async () => {
    const clock = movableClock();
    const cache = memory(100_000, clock);
    await cache.set("key", entry("an answer"), 1_000);
    clock.advance(1_000);
    assert.ok(await cache.get("key"));
    clock.advance(1);
    assert.equal(await cache.get("key"), undefined);
    assert.deepEqual(counts(cache), { ...none, hits: 1, misses: 1, stores: 1 });
    assert.equal(cache.stats().bytes, 0);
  });

  it("takes up to a tenth off the TTL, by chance", async () => {
    const clock = movableClock(0.999_999);
    const cache = memory(100_000, clock);
    await cache.set("key", entry("an answer"), 1_000);
    clock.advance(899);
    assert.ok(await cache.get("key"));
    clock.advance(2);
    assert.equal(await cache.get("key"), undefined);
  });

  it("stores nothing without a TTL, rather than for ever", async () => {
    const cache = memory();
    for (const ttlMs of [0, -1, 0.5, Number.NaN]) await cache.set("key", entry("an answer"), ttlMs);
    assert.equal(await cache.get("key"), undefined);
    assert.equal(cache.stats().bytes, 0);
  });

  it("replaces what it held for a key, tags too", async () => {
    const cache = memory();
    await cache.set("key", entry("old"), 1_000);
    await cache.set("key", entry("new", { promptVersion: "v2" }), 1_000);
    assert.equal(cache.purge({ promptVersion: "v1", promptName: "greet" }), 0);
    assert.equal((await cache.get("key"))?.completion.text, "new");
    assert.deepEqual(counts(cache), { ...none, hits: 1, stores: 2, entries: 1 });
    cache.delete("key");
    cache.delete("key");
    assert.equal(await cache.get("key"), undefined);
    assert.equal(cache.stats().bytes, 0);
  });

  it("never holds more than its bytes and drops what was used longest ago", async () => {
    const cache = memory(80_000);
    for (let i = 0; i < 200; i++) {
      await cache.set(`key ${i}`, entry("x".repeat(1_000), { promptVersion: `v${i % 10}` }), 60_000);
      assert.ok((cache.stats().bytes ?? 0) <= 80_000);
      assert.ok(await cache.get("key 0"), "used all the time");
    }
    assert.equal(await cache.get("key 1"), undefined);
    assert.ok(await cache.get("key 199"));
    const { entries = 0, evictions = 0 } = cache.stats();
    assert.equal(entries + evictions, 200);
    assert.ok(entries >= 30, `${entries} entries`);
  });

  it("takes no expired entry that makes room for an eviction", async () => {
    const clock = movableClock();
    const cache = memory(65_536, clock);
    for (let i = 0; i < 5; i++) await cache.set(`old ${i}`, entry("x"), 1_000);
    clock.advance(2_000);
    for (let i = 0; i < 200; i++) await cache.set(`key ${i}`, entry("x"), 60_000);
    const { entries = 0, evictions = 0 } = cache.stats();
    assert.equal(entries + evictions, 200);
  });

  it("does not store a completion larger than a sixteenth of it, and drops the one it would replace", async () => {
    const cache = memory(65_536);
    await cache.set("key", entry("small"), 60_000);
    await cache.set("key", entry("x".repeat(4_000)), 60_000);
    assert.equal(await cache.get("key"), undefined);
    await cache.set("key", entry("x".repeat(2_000)), 60_000);
    assert.ok(await cache.get("key"));
    assert.deepEqual(counts(cache), { ...none, hits: 1, misses: 1, stores: 2, unstored: 1, entries: 1 });
  });

  it("says whether a good entry is there, without counting it as asked for", async () => {
    const clock = movableClock();
    const cache = memory(65_536, clock);
    await cache.set("key", entry("an answer"), 1_000);
    await cache.set("purged", entry("an answer", { tenant: "globex" }), 1_000);
    cache.purge({ tenant: "globex" });
    assert.deepEqual([cache.has("key"), cache.has("purged"), cache.has("other")], [true, false, false]);
    clock.advance(1_001);
    assert.equal(cache.has("key"), false);
    assert.deepEqual(counts(cache), { ...none, stores: 2, entries: 1 });
    await cache.set("first", entry("x".repeat(2_000)), 60_000);
    for (let i = 0; cache.stats().evictions === 0; i++) {
      assert.ok(cache.has("first"));
      await cache.set(`other-${i}`, entry("x".repeat(2_000)), 60_000);
    }
    assert.equal(cache.has("first"), false, "it went first, as nobody asked for it");
  });

  it("counts how long look-ups take", async () => {
    const cache = memory(100_000, systemClock);
    assert.deepEqual(cache.stats().lookUpMs, { p50: 0, p99: 0, max: 0 });
    await cache.set("key", entry("x".repeat(4_000)), 60_000);
    for (let i = 0; i < 100; i++) await cache.get(i % 2 ? "key" : "other");
    const { p50, p99, max } = cache.stats().lookUpMs;
    assert.ok(0 < p50 && p50 <= p99 && p99 <= max && max < 10_000, `${p50} ${p99} ${max}`);
  });

  it("refuses a size that makes no sense", () => {
    for (const maxBytes of [0, -1, 65_535, 65_536.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => memory(maxBytes), RangeError);
    }
  });
});

describe("memory cache: purge", () => {
  const tagged: readonly [key: string, tags: Partial<CacheTags>][] = [
    ["a", {}],
    ["b", { promptVersion: "v2", models: ["fast", "smart"] }],
    ["c", { tenant: "globex" }],
    ["d", { promptName: "", promptVersion: "", models: ["smart"] }],
  ];
  const filters: readonly [CacheFilter, gone: string][] = [
    [{}, "abcd"],
    [{ tenant: "acme" }, "abd"],
    [{ tenant: "nobody" }, ""],
    [{ promptName: "greet" }, "abc"],
    [{ promptName: "greet", promptVersion: "v1" }, "ac"],
    [{ tenant: "acme", promptName: "greet", promptVersion: "v1" }, "a"],
    [{ model: "smart" }, "bd"],
    [{ tenant: "globex", model: "smart" }, ""],
  ];

  for (const [filter, gone] of filters) {
    it(`forgets what fits ${JSON.stringify(filter)}, and nothing else`, async () => {
      const cache = memory();
      for (const [key, tags] of tagged) await cache.set(key, entry(key, tags), 60_000);
      assert.equal(cache.purge(filter), gone.length);
      assert.equal(cache.purge(filter), 0);
      assert.equal(cache.stats().entries, 4 - gone.length);
      for (const [key] of tagged) assert.equal((await cache.get(key)) === undefined, gone.includes(key), key);
      assert.equal(cache.stats().evictions, 0);
    });
  }

  it("forgets at once, and frees the memory of many entries in steps", async () => {
    const cache = memory(64_000_000);
    for (let i = 0; i < 10_000; i++) await cache.set(`key ${i}`, entry("x"), 60_000);
    assert.equal(cache.purge({ tenant: "acme" }), 10_000);
    assert.equal(cache.stats().entries, 0);
    assert.ok((cache.stats().bytes ?? 0) > 0, "not all in one step");
    assert.equal(await cache.get("key 1"), undefined);
    await cache.set("key 2", entry("anew"), 60_000);
    assert.equal((await cache.get("key 2"))?.completion.text, "anew");
    assert.equal(cache.stats().entries, 1);
    assert.equal(cache.purge({ tenant: "acme" }), 1);
    await untilFree(cache);
    assert.deepEqual(counts(cache), { ...none, hits: 1, misses: 1, stores: 10_001 });
  });

  it("makes room while purged entries wait to be freed", async () => {
    const cache = memory(10_000_000);
    for (let i = 0; i < 8_000; i++) await cache.set(`key ${i}`, entry("x"), 60_000);
    const purged = cache.purge({});
    for (let i = 0; i < 20_000; i++) {
      await cache.set(`new ${i}`, entry("x"), 60_000);
      if (i % 1_000 === 0) await nextTurn();
    }
    const { entries = 0, evictions = 0, bytes = 0 } = cache.stats();
    assert.equal(purged, 8_000);
    assert.equal(entries + evictions, 20_000);
    assert.ok(bytes <= 10_000_000);
    assert.equal(cache.purge({}), entries);
    await untilFree(cache);
  });
});

describe("memory cache: the bytes it says", () => {
  /** Heap and buffers that are in use, without garbage. */
  function usedBytes(): number {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }

  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const fills: readonly [what: string, fill: (cache: MemoryCache, i: number) => unknown][] = [
    ["small answers with the same tags", (cache, i) => cache.set(sha256(`${i}`), entry("x"), 60_000)],
    ["small answers with tags of their own", (cache, i) => cache.set(sha256(`${i}`), ownTags(i), 60_000)],
    ["large answers", (cache, i) => cache.set(sha256(`${i}`), entry("x".repeat(4_000)), 60_000)],
    ["built requests", (cache, i) => cache.requests.set(sha256(`${i}`), { contentKey: sha256(`c${i}`) })],
  ];
  const ownTags = (i: number) => entry("x", { tenant: `tenant-${i}`, promptName: `prompt-${i}`, models: [`m${i}`] });

  for (const [what, fill] of fills) {
    it(`is what ${what} take, or somewhat more`, async () => {
      const before = usedBytes();
      const cache = memory(1_000_000_000, systemClock);
      for (let i = 0; i < 20_000; i++) await fill(cache, i);
      const grown = usedBytes() - before;
      const { bytes = 0 } = cache.stats();
      assert.ok(grown <= bytes * 1.1 && bytes <= grown * 3, `says ${bytes}, takes ${grown}`);
    });
  }
});

describe("memory cache: built requests", () => {
  const dropped = { tokensBefore: 10, tokensAfter: 5, chunkIds: ["c1", "c2"], turns: 1 };

  it("gives back what is known of a request", () => {
    const { requests } = memory();
    requests.set("r1", { contentKey: "k1", dropped });
    requests.set("r2", { contentKey: "k2" });
    assert.deepEqual(requests.get("r1"), { contentKey: "k1", dropped });
    assert.deepEqual(requests.get("r2"), { contentKey: "k2" });
    assert.equal(requests.get("r3"), undefined);
  });

  it("takes at most a sixteenth of the bytes, out of those of the whole", async () => {
    const cache = memory(1_600_000);
    for (let i = 0; i < 5_000; i++) cache.requests.set(`r${i}`, { contentKey: `k${i}`, dropped });
    const { bytes = 0 } = cache.stats();
    assert.ok(bytes > 90_000 && bytes <= 100_000, `${bytes} bytes`);
    assert.equal(cache.requests.get("r0"), undefined);
    assert.ok(cache.requests.get("r4999"));
    for (let i = 0; i < 5_000; i++) await cache.set(`k${i}`, entry("x".repeat(500)), 60_000);
    const full = cache.stats().bytes ?? 0;
    assert.ok(full > 1_590_000 && full <= 1_600_000, `${full} bytes`);
    assert.ok(cache.requests.get("r4999"), "answers do not push them out");
  });

  it("keeps none that is larger than its part", () => {
    const cache = memory(65_536);
    cache.requests.set("r", { contentKey: "k", dropped: { ...dropped, chunkIds: ["c".repeat(2_048)] } });
    assert.equal(cache.requests.get("r"), undefined);
  });

  it("forgets them where everything is purged", async () => {
    const cache = memory();
    cache.requests.set("r", { contentKey: "k" });
    cache.purge({ tenant: "acme" });
    assert.ok(cache.requests.get("r"));
    cache.purge({});
    assert.equal(cache.requests.get("r"), undefined);
  });
});

describe("no memory cache", () => {
  it("holds nothing, and counts its misses", async () => {
    const cache = noMemoryCache();
    await cache.set("key", entry("an answer"), 1_000);
    cache.requests.set("r", { contentKey: "key" });
    assert.equal(await cache.get("key"), undefined);
    assert.equal(cache.requests.get("r"), undefined);
    assert.equal(cache.purge({}), 0);
    assert.equal(cache.has("key"), false);
    cache.delete("key");
    const lookUpMs = { p50: 0, p99: 0, max: 0 };
    assert.deepEqual(cache.stats(), { ...none, misses: 1, bytes: 0, lookUpMs });
  });
});
