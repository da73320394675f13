import assert from "node:assert/strict";
import { costNanoUsd, formatNanoUsd, type Price } from "../../src/core/money.ts";

const price: Price = {
  promptNanoUsdPerMillionTokens: 250_000_000n,
  cachedPromptNanoUsdPerMillionTokens: 25_000_000n,
  completionNanoUsdPerMillionTokens: 2_000_000_000n,
  version: "test",
};
const tokens = { promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };

describe("the cost of an attempt", () => {
  it("is the sum of its tokens' prices", () => {
    assert.equal(costNanoUsd({ ...tokens, promptTokens: 1000, completionTokens: 100 }, price), 250_000n + 200_000n);
  });

  it("takes cached prompt tokens out of the prompt's price", () => {
    assert.equal(costNanoUsd({ ...tokens, promptTokens: 1000, cachedPromptTokens: 400 }, price), 150_000n + 10_000n);
  });

  it("does not become negative when a provider reports more cached than prompt tokens", () => {
    assert.equal(costNanoUsd({ ...tokens, promptTokens: 10, cachedPromptTokens: 400 }, price), 250n);
  });

  it("rounds half up, once", () => {
    const half = { ...price, promptNanoUsdPerMillionTokens: 500_000n, completionNanoUsdPerMillionTokens: 499_999n };
    assert.equal(costNanoUsd({ ...tokens, promptTokens: 1 }, half), 1n);
    assert.equal(costNanoUsd({ ...tokens, completionTokens: 1 }, half), 0n);
    assert.equal(costNanoUsd({ ...tokens, promptTokens: 1, completionTokens: 1 }, half), 1n);
  });

  it("stays exact where doubles would not", () => {
    const dear = { ...price, promptNanoUsdPerMillionTokens: 10n ** 15n };
    assert.equal(costNanoUsd({ ...tokens, promptTokens: 999_999_999_999 }, dear), 999_999_999_999n * 10n ** 9n);
  });
});

describe("an amount of money", () => {
  it("is shown in dollars, with at least cents and without trailing zeros", () => {
    const shown = [0n, 1n, 1_234_567n, 10_000_000n, 4_000_000_000_000n, -5_000_000n].map(formatNanoUsd);
    assert.deepEqual(shown, ["$0.00", "$0.000000001", "$0.001234567", "$0.01", "$4000.00", "-$0.005"]);
  });
});
