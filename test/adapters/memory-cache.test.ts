import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { createMemoryCache } from "../../src/adapters/memory-cache.ts";
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

describe("memory cache", () => {
  it("gives back what was stored, field by field", async () => {
    const cache = createMemoryCache({ maxBytes: 100_000, clock: movableClock() });
    await cache.set("key", completion("an answer"), 1_000);
    assert.deepEqual(await cache.get("key"), completion("an answer"));
    assert.equal(await cache.get("another key"), undefined);
  });

  it("keeps what it holds out of callers' reach", async () => {
    const cache = createMemoryCache({ maxBytes: 100_000, clock: movableClock() });
    const given = completion("an answer");
    await cache.set("key", given, 1_000);
    given.text = "changed after storing";
    const first = await cache.get("key");
    assert.ok(first);
    first.text = "changed after reading";
    first.attempts.length = 0;
    assert.deepEqual(await cache.get("key"), completion("an answer"));
  });

  it("forgets at the end of the TTL", async () => {
    const clock = movableClock();
    const cache = createMemoryCache({ maxBytes: 100_000, clock });
    await cache.set("key", completion("an answer"), 1_000);
    clock.advance(1_000);
    assert.ok(await cache.get("key"));
    clock.advance(1);
    assert.equal(await cache.get("key"), undefined);
  });

  it("takes up to a tenth off the TTL, by chance", async () => {
    const clock = movableClock(0.999_999);
    const cache = createMemoryCache({ maxBytes: 100_000, clock });
    await cache.set("key", completion("an answer"), 1_000);
    clock.advance(899);
    assert.ok(await cache.get("key"));
    clock.advance(2);
    assert.equal(await cache.get("key"), undefined);
  });

  it("stores nothing without a TTL, rather than for ever", async () => {
    const cache = createMemoryCache({ maxBytes: 100_000, clock: movableClock() });
    for (const ttlMs of [0, -1, 0.5, Number.NaN]) await cache.set("key", completion("an answer"), ttlMs);
    assert.equal(await cache.get("key"), undefined);
    assert.equal(cache.bytes(), 0);
  });

  it("never holds more than its bytes and drops what was used longest ago", async () => {
    const cache = createMemoryCache({ maxBytes: 40_000, clock: movableClock() });
    for (let i = 0; i < 200; i++) {
      await cache.set(`key ${i}`, completion("x".repeat(1_000)), 60_000);
      assert.ok(cache.bytes() <= 40_000);
      assert.ok(await cache.get("key 0"), "used all the time");
    }
    assert.equal(await cache.get("key 1"), undefined);
    assert.ok(await cache.get("key 199"));
  });

  it("does not store a completion larger than a sixteenth of it, and drops the one it would replace", async () => {
    const cache = createMemoryCache({ maxBytes: 64_000, clock: movableClock() });
    await cache.set("key", completion("small"), 60_000);
    await cache.set("key", completion("x".repeat(4_000)), 60_000);
    assert.equal(await cache.get("key"), undefined);
    await cache.set("key", completion("x".repeat(3_000)), 60_000);
    assert.ok(await cache.get("key"));
  });

  it("refuses a size that makes no sense", () => {
    for (const maxBytes of [0, -1, 16_383, 1.5 * 16_384 + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => createMemoryCache({ maxBytes, clock: movableClock() }), RangeError);
    }
  });
});
