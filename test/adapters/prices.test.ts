import assert from "node:assert/strict";
import { nanoUsdOf } from "../../src/adapters/prices/decimal.ts";
import { createPriceBook } from "../../src/adapters/prices.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { costNanoUsd } from "../../src/core/money.ts";

const openai = { id: "main", baseUrl: "https://api.openai.com/v1" };
const book = createPriceBook();

function usd(price: ReturnType<typeof book.price>): readonly number[] | undefined {
  return (
    price &&
    [
      price.promptNanoUsdPerMillionTokens,
      price.cachedPromptNanoUsdPerMillionTokens,
      price.completionNanoUsdPerMillionTokens,
    ].map((nano) => Number(nano) / 1e9)
  );
}

describe("price book", () => {
  // Widely published prices, in USD per million tokens: prompt, cached prompt, completion.
  for (const [baseUrl, model, expected] of [
    ["https://api.openai.com/v1", "gpt-4o", [2.5, 1.25, 10]],
    ["https://api.openai.com/v1", "gpt-5-mini", [0.25, 0.025, 2]],
    ["https://api.openai.com/v1", "gpt-5-mini-2025-08-07", [0.25, 0.025, 2]],
    ["https://api.anthropic.com/v1", "claude-sonnet-4-5", [3, 0.3, 15]],
    ["https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro", [1.25, 0.125, 10]],
    ["https://api.groq.com/openai/v1", "llama-3.3-70b-versatile", [0.59, 0.59, 0.79]],
    ["https://acme.openai.azure.com/openai/v1", "gpt-4o", [2.5, 1.25, 10]],
    ["https://api.openai.com/v1", "text-embedding-3-small", [0.02, 0.02, 0.02]],
  ] as const) {
    it(`knows ${model} at ${new URL(baseUrl).hostname}`, () => {
      assert.deepEqual(usd(book.price({ id: "main", baseUrl }, model)), expected);
    });
  }

  it("finds the provider by its id where the URL is not known", () => {
    assert.deepEqual(usd(book.price({ id: "openai", baseUrl: "http://127.0.0.1:9/v1" }, "gpt-4o")), [2.5, 1.25, 10]);
    assert.deepEqual(usd(book.price({ id: "anthropic" }, "claude-sonnet-4-5")), [3, 0.3, 15]);
  });

  it("gives no provider's price to a server that merely has its name in its id", () => {
    assert.equal(book.price({ id: "my-openai-compatible", baseUrl: "http://127.0.0.1:9/v1" }, "gpt-4o"), undefined);
  });

  it("leaves unknown models and models without a listed price unknown", () => {
    assert.equal(book.price(openai, "no-such-model"), undefined);
    assert.equal(book.price(openai, "whisper-1"), undefined);
    assert.equal(book.price({ id: "main" }, "gpt-4o"), undefined);
  });

  it("says the version of the list", () => {
    assert.match(book.price(openai, "gpt-4o")?.version ?? "", /^genai-prices \d+\.\d+\.\d+$/);
  });

  it("knows that the sandbox costs nothing", () => {
    assert.deepEqual(book.price({ id: "sandbox" }, "sandbox/extract"), {
      promptNanoUsdPerMillionTokens: 0n,
      cachedPromptNanoUsdPerMillionTokens: 0n,
      completionNanoUsdPerMillionTokens: 0n,
      version: "sandbox",
    });
  });

  it("takes the price of the day where it changed", () => {
    const at = (date: string): Clock => ({ ...systemClock, nowMs: () => Date.parse(date) });
    const before = createPriceBook({ clock: at("2025-05-01") }).price(openai, "o3");
    const after = createPriceBook({ clock: at("2025-09-01") }).price(openai, "o3");
    assert.deepEqual([usd(before)?.[0], usd(after)?.[0]], [10, 2]);
  });

  it("prefers an override for provider and model, then one for the model", () => {
    const overridden = createPriceBook({
      overrides: [
        { model: "gpt-4o", prompt_usd_per_million: "1.1", completion_usd_per_million: 4 },
        {
          provider: "main",
          model: "gpt-4o",
          prompt_usd_per_million: 2,
          cached_prompt_usd_per_million: "0.5",
          completion_usd_per_million: 8,
        },
      ],
    });
    assert.deepEqual(usd(overridden.price(openai, "gpt-4o")), [2, 0.5, 8]);
    assert.deepEqual(usd(overridden.price({ id: "other" }, "gpt-4o")), [1.1, 1.1, 4]);
    assert.equal(overridden.price(openai, "gpt-4o")?.version, "override");
    assert.deepEqual(usd(overridden.price(openai, "gpt-5-mini")), [0.25, 0.025, 2]);
  });

  it("takes every kind of price from an override", () => {
    const overridden = createPriceBook({
      overrides: [
        {
          model: "m",
          prompt_usd_per_million: 1,
          cache_write_usd_per_million: "1.25",
          completion_usd_per_million: 4,
          reasoning_usd_per_million: 3,
          usd_per_thousand_requests: 5,
          long_prompts: [
            { above_prompt_tokens: 2000, prompt_usd_per_million: 20, completion_usd_per_million: 30 },
            { above_prompt_tokens: 1000, prompt_usd_per_million: 10, completion_usd_per_million: 15 },
          ],
        },
      ],
    });
    const cost = (promptTokens: number) => {
      const price = overridden.price({ id: "any" }, "m");
      const tokens = { promptTokens, cachedPromptTokens: 0, cacheWriteTokens: 100, completionTokens: 10 };
      return price && costNanoUsd({ ...tokens, reasoningTokens: 4 }, price);
    };
    // In nano-USD: a fee of 5,000,000; 900 x 1,000 + 100 x 1,250 + 6 x 4,000 + 4 x 3,000; then 10,000 and 15,000 a token.
    assert.equal(cost(1000), 5_000_000n + 900_000n + 125_000n + 24_000n + 12_000n);
    assert.equal(cost(1001), 5_000_000n + 10_010_000n + 150_000n);
    assert.equal(cost(2001), 5_000_000n + 40_020_000n + 300_000n);
  });

  it("keeps what it found of a bounded number of models", () => {
    // Matching a name is most of the cost, so what it found is kept; a thousand others push it out.
    const first = book.price(openai, "gpt-4o");
    assert.equal(book.price(openai, "gpt-4o"), first);
    for (let index = 0; index < 1_000; index += 1) book.price(openai, `no-such-model-${index}`);
    const again = book.price(openai, "gpt-4o");
    assert.notEqual(again, first);
    assert.deepEqual(again, first);
  });

  it("refuses an override that is no price, naming it", () => {
    for (const bad of ["-1", "abc", "", "1,5", Number.NaN, -0.5, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () =>
          createPriceBook({ overrides: [{ model: "m", prompt_usd_per_million: 1, completion_usd_per_million: bad }] }),
        /prices\.override\[0\]\.completion_usd_per_million/,
      );
    }
  });

  it("refuses two overrides of the same model", () => {
    const override = { model: "m", prompt_usd_per_million: 1, completion_usd_per_million: 1 };
    assert.throws(() => createPriceBook({ overrides: [override, override] }), /prices\.override\[1\]/);
  });
});

describe("USD to nano-USD", () => {
  for (const [usd, nano] of [
    [0, 0n],
    [0.1, 100_000_000n],
    ["2.5", 2_500_000_000n],
    [1e-7, 100n],
    ["0.000000001", 1n],
    [0.18000000000000002, 180_000_000n],
    ["0.0000000005", 1n],
    ["0.00000000049", 0n],
    [75, 75_000_000_000n],
  ] as const) {
    it(`converts ${usd} exactly`, () => assert.equal(nanoUsdOf(usd), nano));
  }
});
