import assert from "node:assert/strict";
import { calcPrice, findProvider, type ModelInfo, type ModelPrice, type Provider } from "@pydantic/genai-prices";
import { createPriceBook } from "../../src/adapters/prices.ts";
import { systemClock } from "../../src/core/clock.ts";
import { costNanoUsd, type Price, type TokenCounts } from "../../src/core/money.ts";
import { seeded } from "../pipeline/parse/random.ts";

/** Providers of the list with long, tiered, cached, reasoning, dated and per-request prices among their models. */
const PROVIDERS = [
  "openai",
  "anthropic",
  "google",
  "openrouter",
  "x-ai",
  "perplexity",
  "deepseek",
  "mistral",
  "aws",
  "groq",
];
const MODELS_PER_PROVIDER = 40;
const DRAWS = 25;
const AT_MS = Date.parse("2026-06-01T12:00:00Z");

const book = createPriceBook({ clock: { ...systemClock, nowMs: () => AT_MS } });
const models = PROVIDERS.flatMap((id) => pricedModelsOf(id));

describe("prices of the list", () => {
  it("are compared for at least 200 models, with every kind of price among them", () => {
    assert.ok(models.length >= 200, `${models.length} models`);
    const prices = models.map(({ price }) => price);
    assert.ok(prices.some(({ longPrompts }) => longPrompts !== undefined));
    assert.ok(prices.some(({ requestNanoUsdPerMillion }) => requestNanoUsdPerMillion !== undefined));
    assert.ok(prices.some(({ cacheWriteNanoUsdPerMillionTokens }) => cacheWriteNanoUsdPerMillionTokens !== undefined));
    assert.ok(prices.some(({ reasoningNanoUsdPerMillionTokens }) => reasoningNanoUsdPerMillionTokens !== undefined));
  });

  it("come to the exact cost, rounded once, and to what the list's own calculation says", () => {
    const random = seeded(20_261_124);
    for (const { provider, model, price, listed } of models) {
      for (let draw = 0; draw < DRAWS; draw += 1) {
        const tokens = drawTokens(random, listed);
        const name = `${provider.id} ${model.id} ${JSON.stringify(tokens)}`;
        const ours = costNanoUsd(tokens, price);
        const exact = exactNanoUsd(tokens, listed);
        // Half a nano-USD for the rounding, and half a femto-USD a token for prices with a tenth decimal.
        const bound =
          exact.unit / 2n + (BigInt(tokens.promptTokens + tokens.completionTokens) * exact.unit) / 2_000_000n;
        const difference = ours * exact.unit - exact.amount;
        assert.ok(difference <= bound && -difference <= bound, name);
        assertNear(Number(ours) / 1e9, listTotal(tokens, provider, model), name);
      }
    }
  });

  it("take the price of long prompts above the threshold for the whole request", () => {
    const gemini = book.price({ id: "google" }, "gemini-2.5-pro");
    const tokens = { promptTokens: 200_000, cachedPromptTokens: 0, completionTokens: 1000, reasoningTokens: 0 };
    // 200,000 x 1.25 $ + 1,000 x 10 $, and one token later 200,001 x 2.5 $ + 1,000 x 15 $, per million.
    assert.equal(gemini && costNanoUsd(tokens, gemini), 260_000_000n);
    assert.equal(gemini && costNanoUsd({ ...tokens, promptTokens: 200_001 }, gemini), 515_002_500n);
  });

  it("count the fee for a request where there is one", () => {
    const sonar = book.price({ id: "perplexity" }, "sonar");
    const tokens = { promptTokens: 1000, cachedPromptTokens: 0, completionTokens: 500, reasoningTokens: 0 };
    assert.equal(sonar && costNanoUsd(tokens, sonar), 12_000_000n + 1_500_000n);
  });

  it("count reasoning tokens once, at their own price where they have one", () => {
    const tokens = { promptTokens: 0, cachedPromptTokens: 0, completionTokens: 1_000_000, reasoningTokens: 400_000 };
    const gpt = book.price({ id: "openai" }, "gpt-5-mini");
    assert.equal(gpt && costNanoUsd(tokens, gpt), 2_000_000_000n);
    const research = book.price({ id: "perplexity" }, "sonar-deep-research");
    assert.equal(research && costNanoUsd(tokens, research), 600_000n * 8000n + 400_000n * 3000n);
  });

  it("change with the hour where the list says so, although they are kept", () => {
    let nowMs = Date.parse("2025-06-01T12:00:00Z");
    const moving = createPriceBook({ clock: { ...systemClock, nowMs: () => nowMs } });
    const prompt = () => moving.price({ id: "deepseek" }, "deepseek-chat")?.promptNanoUsdPerMillionTokens;
    const listed = () => {
      const found = calcPrice({}, "deepseek-chat", { provider: providerOf("deepseek"), timestamp: new Date(nowMs) });
      return Math.round(Number(found?.model_price.input_mtok) * 1e9);
    };
    const seen = new Set<number>();
    for (let hour = 0; hour < 24; hour += 1) {
      nowMs = Date.parse("2025-06-01T00:30:00Z") + hour * 3_600_000;
      assert.equal(Number(prompt()), listed(), `hour ${hour}`);
      seen.add(listed());
    }
    assert.ok(seen.size > 1, "the list has one price for the whole day: take another model");
  });
});

interface PricedModel {
  readonly provider: Provider;
  readonly model: ModelInfo;
  readonly price: Price;
  readonly listed: ModelPrice;
}

function providerOf(id: string): Provider {
  const provider = findProvider({ providerId: id });
  assert.equal(provider?.id, id);
  return provider;
}

/** Models that the list finds by their own id and has prices of prompt and completion tokens for. */
function pricedModelsOf(id: string): PricedModel[] {
  const provider = providerOf(id);
  const found = provider.models.flatMap((model) => {
    const result = calcPrice({}, model.id, { provider, timestamp: new Date(AT_MS) });
    const listed = result?.model_price;
    const price = book.price({ id }, model.id);
    const isPriced = listed?.input_mtok !== undefined && listed.output_mtok !== undefined;
    assert.equal(price === undefined, listed?.input_mtok === undefined, `${id} ${model.id}`);
    return isPriced && price ? [{ provider, model, price, listed }] : [];
  });
  const special = found.filter(({ listed }) => Object.values(listed).some((value) => typeof value === "object"));
  const others = found.filter((model) => !special.includes(model));
  const odd = others.filter(({ listed }) => "requests_kcount" in listed || "output_reasoning_mtok" in listed);
  return [...new Set([...odd, ...special.slice(0, MODELS_PER_PROVIDER / 2), ...others])].slice(0, MODELS_PER_PROVIDER);
}

function drawTokens(random: () => number, listed: ModelPrice): TokenCounts {
  // Short prompts, and ones around and above the thresholds of the list.
  const promptTokens = Math.floor(random() * 300 * 16 ** Math.floor(random() * 4));
  const completionTokens = Math.floor(random() * 50_000);
  const cachedPromptTokens = random() < 0.5 ? 0 : Math.floor(random() * (promptTokens + 1));
  const hasWrites = listed.cache_write_mtok !== undefined && random() < 0.5;
  const cacheWriteTokens = hasWrites ? Math.floor(random() * (promptTokens - cachedPromptTokens + 1)) : 0;
  const reasoningTokens = Math.floor(random() * (completionTokens + 1));
  return { promptTokens, cachedPromptTokens, cacheWriteTokens, completionTokens, reasoningTokens };
}

/** The cost in units of 1 / `unit` nano-USD, from the digits of the list's numbers. */
function exactNanoUsd(tokens: TokenCounts, listed: ModelPrice): { amount: bigint; unit: bigint } {
  const at = (name: string) => {
    const price = listed[name];
    if (typeof price !== "object") return price;
    let found = price.base;
    for (const { start, price: tier } of [...price.tiers].sort((a, b) => a.start - b.start)) {
      if (tokens.promptTokens > start) found = tier;
    }
    return found;
  };
  const input = at("input_mtok") ?? 0;
  const output = at("output_mtok") ?? 0;
  const written = tokens.cacheWriteTokens ?? 0;
  const parts: readonly [count: number, usd: number, per: bigint][] = [
    [tokens.promptTokens - tokens.cachedPromptTokens - written, input, 1_000_000n],
    [tokens.cachedPromptTokens, at("cache_read_mtok") ?? input, 1_000_000n],
    [written, at("cache_write_mtok") ?? input, 1_000_000n],
    [tokens.completionTokens - tokens.reasoningTokens, output, 1_000_000n],
    [tokens.reasoningTokens, at("output_reasoning_mtok") ?? output, 1_000_000n],
    [1, at("requests_kcount") ?? 0, 1000n],
  ];
  // Of 10^-24 USD: enough decimals for every number of the list.
  const amount = parts.reduce((sum, [count, usd, per]) => sum + (BigInt(count) * digitsOf(usd)) / per, 0n);
  return { amount, unit: 10n ** 15n };
}

/** USD in 10^-24 USD, by the decimal digits that the number prints. */
function digitsOf(usd: number): bigint {
  const [digits = "", exponent = "0"] = usd.toString().split("e");
  const [whole = "", fraction = ""] = digits.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(24 - fraction.length + Number(exponent));
}

function listTotal(tokens: TokenCounts, provider: Provider, model: ModelInfo): number {
  const usage = {
    input_tokens: tokens.promptTokens,
    cache_read_tokens: tokens.cachedPromptTokens,
    cache_write_tokens: tokens.cacheWriteTokens,
    output_tokens: tokens.completionTokens,
    output_reasoning_tokens: tokens.reasoningTokens,
  };
  return calcPrice(usage, model.id, { provider, timestamp: new Date(AT_MS) })?.total_price ?? Number.NaN;
}

function assertNear(ours: number, theirs: number, name: string): void {
  assert.ok(Math.abs(ours - theirs) <= 1e-9 + Math.abs(theirs) * 1e-12, `${name}: ${ours} and ${theirs}`);
}
