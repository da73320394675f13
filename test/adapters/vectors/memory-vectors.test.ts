import assert from "node:assert/strict";
import { createMemoryVectors, noMemoryVectors } from "../../../src/adapters/memory-vectors.ts";
import { fakeClock } from "../../support/clock.ts";

const HOUR_MS = 3_600_000;

describe("vectors in memory", () => {
  it("are those that were stored, in a copy of their own", () => {
    const vectors = createMemoryVectors({ maxBytes: 65_536, clock: fakeClock() });
    const batch = Float32Array.of(1, 2, 3, 4);
    vectors.set("a", batch.subarray(1, 3), HOUR_MS);
    batch.fill(9);
    const found = vectors.get("a");
    assert.deepEqual([found, found?.buffer.byteLength], [Float32Array.of(2, 3), 8]);
    assert.equal(vectors.get("b"), undefined);
  });

  it("end after 90 to 100 % of their time", () => {
    for (const [random, lifeMs] of [
      [0, 1000],
      [0.999999, 900],
    ] as const) {
      const clock = fakeClock(() => random);
      const vectors = createMemoryVectors({ maxBytes: 65_536, clock });
      vectors.set("a", Float32Array.of(1), 1000);
      clock.advance(lifeMs);
      assert.ok(vectors.get("a"));
      clock.advance(1);
      assert.equal(vectors.get("a"), undefined);
      assert.deepEqual(vectors.stats(), { entries: 0, bytes: 0 });
    }
  });

  it("stay below their bound in bytes, the longest unused out first", () => {
    const vectors = createMemoryVectors({ maxBytes: 65_536, clock: fakeClock() });
    for (let index = 0; index < 500; index += 1) {
      vectors.set(`${index}`, new Float32Array(100).fill(1), HOUR_MS);
      vectors.get("0");
      assert.ok(vectors.stats().bytes <= 65_536);
    }
    assert.ok(vectors.get("0"));
    assert.ok(vectors.get("499"));
    assert.equal(vectors.get("1"), undefined);
    vectors.set("large", new Float32Array(20_000), HOUR_MS);
    assert.equal(vectors.get("large"), undefined);
    assert.ok(vectors.get("0"));
  });

  it("ignore a time below a millisecond, and refuse a bound that is none", () => {
    const vectors = createMemoryVectors({ maxBytes: 65_536, clock: fakeClock() });
    for (const ttlMs of [0, -1, Number.NaN]) vectors.set("a", Float32Array.of(1), ttlMs);
    assert.equal(vectors.get("a"), undefined);
    for (const maxBytes of [0, 65_535, 65_536.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => createMemoryVectors({ maxBytes, clock: fakeClock() }), RangeError);
    }
    const none = noMemoryVectors();
    none.set("a", Float32Array.of(1), HOUR_MS);
    assert.equal(none.get("a"), undefined);
  });
});
