import assert from "node:assert/strict";
import { estimateAmounts, MILLION, millionthsOf } from "../../src/core/estimate.ts";

const factors = { requestsPerDay: 1n, cacheHitMillionths: 0n, attemptsMillionths: MILLION };
const sample = (inputFemtoUsd: bigint, outputFemtoUsd: bigint) => ({ inputFemtoUsd, outputFemtoUsd });

describe("estimated amounts", () => {
  it("are the mean of the samples, however they are spread", () => {
    const { attempt } = estimateAmounts([sample(MILLION, 0n), sample(3n * MILLION, 6n * MILLION)], factors);
    assert.deepEqual(attempt, { inputNanoUsd: 2n, outputNanoUsd: 3n, totalNanoUsd: 5n });
  });

  it("are rounded half up from the exact fraction, each by itself", () => {
    // Half a nano-USD each for input and output: 1 + 1, and 1 together.
    const { attempt, day } = estimateAmounts([sample(500_000n, 500_000n)], { ...factors, requestsPerDay: 3n });
    assert.deepEqual(attempt, { inputNanoUsd: 1n, outputNanoUsd: 1n, totalNanoUsd: 1n });
    assert.deepEqual(day, { inputNanoUsd: 2n, outputNanoUsd: 2n, totalNanoUsd: 3n });
    const third = estimateAmounts([sample(1_000_000n, 0n), sample(0n, 0n), sample(0n, 0n)], factors);
    assert.equal(third.attempt.totalNanoUsd, 0n);
    assert.equal(third.month.totalNanoUsd, 10n);
    assert.equal(third.monthAtTenTimes.totalNanoUsd, 101n);
  });

  it("are nothing where every call is a hit", () => {
    const { request, monthAtTenTimes } = estimateAmounts([sample(10n ** 15n, 10n ** 15n)], {
      ...factors,
      cacheHitMillionths: MILLION,
    });
    assert.deepEqual([request.totalNanoUsd, monthAtTenTimes.totalNanoUsd], [0n, 0n]);
  });

  it("stay exact where doubles would not", () => {
    const { day } = estimateAmounts([sample(999_999_999_999_999_999n * MILLION, 0n)], {
      ...factors,
      requestsPerDay: 7n,
    });
    assert.equal(day.totalNanoUsd, 6_999_999_999_999_999_993n);
  });
});

describe("a rate", () => {
  it("is whole millionths, exact to six decimals", () => {
    for (const [rate, millionths] of [
      [0.35, 350_000n],
      [0, 0n],
      [1, MILLION],
      [1.15, 1_150_000n],
      [1 / 3, 333_333n],
      [0.0000005, 1n],
      [99.999999, 99_999_999n],
    ] as const) {
      assert.equal(millionthsOf(rate), millionths, String(rate));
    }
    for (let millionths = 0; millionths <= 1_000_000; millionths += 997) {
      assert.equal(millionthsOf(millionths / 1e6), BigInt(millionths));
    }
  });
});
