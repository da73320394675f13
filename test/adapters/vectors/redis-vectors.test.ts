import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { layeredVectors } from "../../../src/adapters/cache-layers/vectors.ts";
import { noMemoryVectors } from "../../../src/adapters/memory-vectors.ts";
import { decodeVector, encodeVector, MAX_ENTRY_BYTES } from "../../../src/adapters/redis-vectors/entry.ts";
import { createRedisVectors, vectorName } from "../../../src/adapters/redis-vectors.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";
import { tier } from "../../support/tiers.ts";
import { keyOf, MINUTE_MS, until } from "../redis-cache/fixture.ts";

const silent = { isEnabled: () => false, debug() {}, info() {}, warn() {}, error() {} };
const vector = Float32Array.from({ length: 1536 }, (_, index) => Math.sin(index) / 28);

describe("a vector as it is stored", () => {
  it("comes back to the bit, under its own key alone", () => {
    const bytes = encodeVector("a", vector);
    assert.ok(bytes);
    assert.equal(bytes.byteLength, 5 + 4 * 1536);
    assert.deepEqual(decodeVector("a", bytes), vector);
    assert.equal(decodeVector("b", bytes), undefined);
    assert.equal(encodeVector("a", new Float32Array()), undefined);
    assert.equal(encodeVector("a", new Float32Array(16_001)), undefined);
    assert.equal(encodeVector("a", new Float32Array(16_000))?.byteLength, MAX_ENTRY_BYTES);
  });

  it("is nothing where a bit or a byte is wrong", () => {
    const good = encodeVector("a", Float32Array.of(0.6, 0.8));
    assert.ok(good);
    for (let bit = 0; bit < good.byteLength * 8; bit += 1) {
      const bad: Buffer = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(decodeVector("a", bad), undefined, `bit ${bit}`);
    }
    for (let length = 0; length < good.byteLength; length += 1) {
      assert.equal(decodeVector("a", good.subarray(0, length)), undefined, `${length} bytes`);
    }
    assert.equal(decodeVector("a", Buffer.concat([good, Buffer.alloc(4)])), undefined);
  });
});

tier("redis", (redis) => {
  describe("vectors in Redis", () => {
    const cleanUps: (() => unknown)[] = [];
    afterEach(async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });

    async function opened(url: string, timeoutMs = 2_000) {
      const vectors = createRedisVectors({ url, timeoutMs, log: silent, clock: systemClock });
      cleanUps.push(() => vectors.close());
      const probe = keyOf(`${Math.random()}`);
      await until(async () => {
        await vectors.set([{ key: probe, vector: Float32Array.of(1) }], MINUTE_MS);
        return (await vectors.get([probe]))[0] !== undefined;
      });
      return vectors;
    }

    function clientOf(url: string): Redis {
      const client = new Redis(url);
      cleanUps.push(() => client.disconnect());
      return client;
    }

    it("are found by every process, in the order of the keys, for no longer than their time", async () => {
      const url = await redis.url();
      const [one, other] = [await opened(url), await opened(url)];
      const keys = Array.from({ length: 600 }, (_, index) => keyOf(`many ${index}`));
      const stored = keys.map((key, index) => ({ key, vector: vector.map((number) => number + index) }));
      await one.set(
        stored.filter((_, index) => index % 3 !== 0),
        MINUTE_MS,
      );
      const found = await other.get(keys);
      for (const [index, hit] of found.entries()) {
        if (index % 3 === 0) assert.equal(hit, undefined);
        else assert.deepEqual(hit?.vector, stored[index]?.vector);
        if (hit) assert.ok(hit.remainingMs > 0 && hit.remainingMs <= MINUTE_MS);
      }
      const lives = found.flatMap((hit) => (hit ? [Math.round(hit.remainingMs / 100)] : []));
      assert.ok(new Set(lives).size > 10, "all end together");
    });

    it("are misses where the value is damaged, of another type or without an end", async () => {
      const url = await redis.url();
      const [vectors, client] = [await opened(url), clientOf(url)];
      const key = (name: string) => keyOf(`bad ${name}`);
      const bytes = encodeVector(key("moved"), vector) ?? Buffer.alloc(0);
      await client.set(vectorName(key("other key")), bytes, "PX", MINUTE_MS);
      await client.set(vectorName(key("text")), "no vector", "PX", MINUTE_MS);
      await client.set(vectorName(key("large")), Buffer.alloc(MAX_ENTRY_BYTES + 1), "PX", MINUTE_MS);
      await client.set(vectorName(key("endless")), encodeVector(key("endless"), vector) ?? "");
      await client.lpush(vectorName(key("list")), "a");
      await vectors.set([{ key: key("good"), vector }], MINUTE_MS);
      const names = ["other key", "text", "large", "endless", "list", "absent", "good"];
      const found = await vectors.get(names.map(key));
      assert.deepEqual(
        found.map((hit) => hit !== undefined),
        [false, false, false, false, false, false, true],
      );
    });

    it("cost a call no more than their time where Redis is mute, and nothing where it is away", async () => {
      const server = await redis.start();
      cleanUps.push(() => server.stop());
      const proxy = await startTcpProxy(server.port);
      cleanUps.push(() => proxy.close());
      const vectors = await opened(`redis://127.0.0.1:${proxy.port}`, 100);
      const cache = layeredVectors(noMemoryVectors(), vectors);
      const wait = { deadline: { remainingMs: () => 60_000 } };
      cache.set([{ key: keyOf("kept"), vector }], MINUTE_MS);
      await until(async () => (await cache.get([keyOf("kept")], wait))[0]?.layer === "shared");
      proxy.stall();
      assert.deepEqual(await cache.get([keyOf("kept")], wait), [undefined]);
      cache.set([{ key: keyOf("lost"), vector }], MINUTE_MS);
      proxy.resume();
      await until(async () => (await cache.get([keyOf("kept")], wait))[0] !== undefined);
      await server.stop();
      assert.deepEqual(await cache.get([keyOf("kept"), keyOf("lost")], wait), [undefined, undefined]);
      cache.set([{ key: keyOf("kept"), vector }], MINUTE_MS);
    });

    it("are still read where Redis is full", async () => {
      const server = await redis.start();
      cleanUps.push(() => server.stop());
      const vectors = await opened(server.url);
      await vectors.set([{ key: keyOf("before"), vector }], MINUTE_MS);
      await clientOf(server.url).config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
      await vectors.set([{ key: keyOf("after"), vector }], MINUTE_MS);
      const [before, after] = await vectors.get([keyOf("before"), keyOf("after")]);
      assert.deepEqual([before?.vector, after], [vector, undefined]);
    });
  });
});
