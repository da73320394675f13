import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type CostEstimate,
  EstimateInputSchema,
  EstimateSource,
  UnknownCostReason,
} from "../../gen/sluice/v1/estimate_pb.ts";
import type { FeatureHistory, HistoryFilter, MeasuredCalls } from "../../src/core/estimate.ts";
import { failureOf } from "../../src/core/failure.ts";
import type { Price, PriceBook } from "../../src/core/money.ts";
import { createEstimator } from "../../src/pipeline/estimate.ts";
import { fakePrompt, fakePrompts, fakeTarget } from "../rpc/support/fake-ports.ts";
import { pipelinePorts, testCall } from "../support/pipeline-ports.ts";

type Input = Exclude<MessageInitShape<typeof EstimateInputSchema>, { $typeName: string }>;

const targets = [
  fakeTarget("fast", { contextTokens: 1_000_000, maxOutputTokens: 100_000 }),
  fakeTarget("small", { contextTokens: 100, maxOutputTokens: 50, initialMaxTokens: 50 }),
  fakeTarget("free", { contextTokens: 1_000_000, maxOutputTokens: 100_000, provider: { id: "unpriced" } }),
];
/** One nano-USD for a prompt token, half of it for a cached one, two for a completion token; double above 1,000. */
const price: Price = {
  promptNanoUsdPerMillionTokens: 1_000_000n,
  cachedPromptNanoUsdPerMillionTokens: 500_000n,
  completionNanoUsdPerMillionTokens: 2_000_000n,
  longPrompts: [
    {
      abovePromptTokens: 1000,
      promptNanoUsdPerMillionTokens: 2_000_000n,
      cachedPromptNanoUsdPerMillionTokens: 1_000_000n,
      completionNanoUsdPerMillionTokens: 4_000_000n,
    },
  ],
  version: "test",
};
const prices: PriceBook = { price: ({ id }) => (id === "main" ? price : undefined) };
const tokens = { promptTokens: 100n, completionTokens: 10n };
const nothing: MeasuredCalls = {
  freeCalls: 0n,
  payingCalls: 0n,
  attempts: 0n,
  promptTokens: 0n,
  cachedPromptTokens: 0n,
  completionTokens: 0n,
  reasoningTokens: 0n,
};

/** An estimate, and what was measured for it. */
async function run(input: Input, { calls, priceBook = prices }: { calls?: MeasuredCalls; priceBook?: PriceBook } = {}) {
  const asked: [tenant: string, filter: HistoryFilter][] = [];
  const history: FeatureHistory = {
    async measure(tenant, filter) {
      asked.push([tenant, filter]);
      return calls;
    },
  };
  const ports = pipelinePorts(targets, { prompts: fakePrompts([fakePrompt("greet")]) });
  const estimator = createEstimator({ ...ports, prices: priceBook, history });
  const message = create(EstimateInputSchema, { requestsPerDay: 1000n, ...input });
  return { estimate: await estimator.estimate(testCall(), message), asked, nowMs: ports.clock.nowMs() };
}

function costsOf({ models }: CostEstimate, index = 0) {
  const outcome = models[index]?.outcome;
  assert.ok(outcome?.case === "costs", outcome?.case === "unknown" ? outcome.value.description : "no outcome");
  return outcome.value;
}

async function refused(input: Input, calls?: MeasuredCalls): Promise<string[]> {
  try {
    await run(input, { ...(calls && { calls }) });
  } catch (error) {
    const failure = failureOf(error);
    if (failure.reason !== "INVALID_REQUEST") return [failure.reason];
    return failure.violations.map(({ field, rule }) => `${field} ${rule}`);
  }
  return [];
}

describe("EstimateCost", () => {
  it("is tokens × prices × requests, input and output apart", async () => {
    const { estimate, asked } = await run({ ...tokens, models: ["fast"] });
    const { day, monthAtTenTimes } = costsOf(estimate);
    assert.deepEqual([day?.inputNanoUsd, day?.outputNanoUsd, day?.totalNanoUsd], [100_000n, 20_000n, 120_000n]);
    assert.equal(monthAtTenTimes?.totalNanoUsd, 36_525_000n);
    assert.deepEqual(asked, []);
    assert.equal(estimate.cacheHits?.source, EstimateSource.DEFAULT);
    assert.equal(estimate.daysPerMonth, 30.4375);
  });

  it("takes off hits and the provider's cache, and adds attempts", async () => {
    const rates = { cachedPromptRate: 0.125, cacheHitRate: 0.25, attemptsPerCall: 1.5 };
    const { estimate } = await run({ ...tokens, models: ["fast"], ...rates });
    // 12.5 cached tokens are 13: 87 + 6.5 + 20 nano-USD an attempt, x 0.75 x 1.5.
    assert.deepEqual(estimate.models[0]?.tokens?.cachedPromptTokens, [13n]);
    assert.equal(costsOf(estimate).day?.totalNanoUsd, 127_688n);
  });

  it("takes the price of long prompts where prompts are", async () => {
    const above = await run({ models: ["fast"], promptTokens: 1001n, completionTokens: 1n });
    assert.equal(costsOf(above.estimate).attempt?.totalNanoUsd, 2006n);
    const below = await run({ models: ["fast"], promptTokens: 1000n, completionTokens: 1n });
    assert.equal(costsOf(below.estimate).attempt?.totalNanoUsd, 1002n);
  });

  it("puts models side by side, with a reason where there is no amount", async () => {
    const { estimate } = await run({ models: ["free", "fast", "small"], promptTokens: 90n, completionTokens: 11n });
    const outcomes = estimate.models.map(({ model, outcome }) => [
      model,
      outcome.case === "unknown" ? outcome.value.reason : outcome.case,
    ]);
    assert.deepEqual(outcomes, [
      ["free", UnknownCostReason.NO_PRICE],
      ["fast", "costs"],
      ["small", UnknownCostReason.DOES_NOT_FIT],
    ]);
    assert.equal(estimate.models[0]?.price, undefined);
  });

  it("says what does not fit: the answer alone, or both together", async () => {
    for (const input of [
      { promptTokens: 1n, completionTokens: 51n },
      { promptTokens: 51n, completionTokens: 50n },
    ]) {
      const { estimate } = await run({ models: ["small"], ...input });
      assert.equal(estimate.models[0]?.outcome.case, "unknown");
      assert.deepEqual(estimate.models[0]?.tokens?.promptTokens, [input.promptTokens]);
    }
    const fits = await run({ models: ["small"], promptTokens: 50n, completionTokens: 50n });
    assert.equal(fits.estimate.models[0]?.outcome.case, "costs");
  });

  it("estimates the default model where none is named", async () => {
    const { estimate } = await run(tokens);
    assert.deepEqual(
      estimate.models.map(({ model }) => model),
      ["fast"],
    );
  });

  describe("with samples of a prompt", () => {
    const text = (value: string) => ({ variables: { text: value } });
    const words = (count: number) => text(Array.from({ length: count }, () => "w").join(" "));

    it("counts as a call does, and takes the mean", async () => {
      const prompt = { name: "greet", samples: [words(1), { variablesJson: '{"text":"one two three"}' }, words(1200)] };
      const { estimate, asked } = await run({ models: ["fast"], prompt, completionTokens: 10n });
      // "be brief" and the text, three tokens for each of two messages, and three for the whole.
      const counts = [12n, 14n, 1211n];
      const counted = estimate.models[0]?.tokens;
      assert.deepEqual(counted?.promptTokens, counts);
      assert.deepEqual([counted?.minPromptTokens, counted?.maxPromptTokens], [12n, 1211n]);
      assert.equal(counted?.meanPromptTokensMillionths, 412_333_333n);
      assert.equal(counted?.promptSource, EstimateSource.SAMPLES);
      // Each sample at its own price: only the third is a long prompt. (12 + 14 + 2 x 1211) / 3 and (20 + 20 + 40) / 3.
      const { attempt } = costsOf(estimate);
      assert.deepEqual([attempt?.inputNanoUsd, attempt?.outputNanoUsd, attempt?.totalNanoUsd], [816n, 27n, 843n]);
      assert.deepEqual(asked, []);
    });

    it("says which sample a model has no room for, and estimates the others", async () => {
      const prompt = { name: "greet", samples: [words(1), words(60)] };
      const { estimate } = await run({ models: ["small", "fast"], prompt, completionTokens: 10n });
      const [small, fast] = estimate.models;
      assert.match(small?.outcome.case === "unknown" ? small.outcome.value.description : "", /^sample 2 /);
      assert.equal(small?.tokens, undefined);
      assert.equal(fast?.outcome.case, "costs");
    });

    it("measures the answers of the prompt where nobody says how long they are, and nothing else", async () => {
      const calls = {
        ...nothing,
        freeCalls: 5n,
        payingCalls: 2n,
        attempts: 4n,
        completionTokens: 26n,
        reasoningTokens: 6n,
      };
      const prompt = { name: "greet", samples: [words(1)] };
      const { estimate, asked, nowMs } = await run({ models: ["fast"], prompt, historyDays: 7 }, { calls });
      assert.deepEqual(asked, [
        ["acme", { feature: "", prompt: "greet", fromMs: nowMs - 7 * 86_400_000, toMs: nowMs }],
      ]);
      assert.equal(estimate.models[0]?.tokens?.completionTokens, 7n);
      assert.equal(estimate.models[0]?.tokens?.reasoningTokens, 2n);
      assert.deepEqual([estimate.cacheHits?.millionths, estimate.attemptsPerCall?.millionths], [0n, 1_000_000n]);
    });

    it("names the path of a wrong variable below its sample", async () => {
      const prompt = { name: "greet", samples: [words(1), {}] };
      const rule = "input.prompt.samples[1].variables.text required";
      assert.deepEqual(await refused({ prompt, completionTokens: 1n }), [rule]);
      const broken = { name: "greet", samples: [{ variablesJson: "{" }] };
      assert.deepEqual(await refused({ prompt: broken, completionTokens: 1n }), [
        "input.prompt.samples[0].variables_json json",
      ]);
    });
  });

  describe("with a feature", () => {
    const calls: MeasuredCalls = {
      freeCalls: 30n,
      payingCalls: 70n,
      attempts: 84n,
      promptTokens: 84_000n,
      cachedPromptTokens: 21_000n,
      completionTokens: 8400n,
      reasoningTokens: 840n,
    };

    it("measures what is not given", async () => {
      const { estimate, asked } = await run({ models: ["fast"], feature: "support" }, { calls });
      const { cacheHits, attemptsPerCall, history, models } = estimate;
      assert.deepEqual([cacheHits?.millionths, attemptsPerCall?.millionths], [300_000n, 1_200_000n]);
      const measured = models[0]?.tokens;
      assert.deepEqual(
        [measured?.promptTokens, measured?.cachedPromptTokens, measured?.completionTokens, measured?.reasoningTokens],
        [[1000n], [250n], 100n, 10n],
      );
      const sources = [cacheHits?.source, attemptsPerCall?.source, measured?.promptSource, measured?.completionSource];
      assert.deepEqual(new Set(sources), new Set([EstimateSource.MEASURED]));
      // (750 + 125 + 200) nano-USD x 0.7 x 1.2 x 1,000.
      assert.equal(costsOf(estimate).day?.totalNanoUsd, 903_000n);
      assert.deepEqual(
        [history?.feature, history?.days, history?.freeCalls, history?.attempts],
        ["support", 30, 30n, 84n],
      );
      assert.equal(asked[0]?.[1].feature, "support");
    });

    it("prefers what is given", async () => {
      const given = { cacheHitRate: 0, attemptsPerCall: 1, cachedPromptRate: 0, ...tokens };
      const { estimate } = await run({ models: ["fast"], feature: "support", ...given }, { calls });
      assert.equal(costsOf(estimate).day?.totalNanoUsd, 120_000n);
      assert.equal(estimate.cacheHits?.source, EstimateSource.GIVEN);
    });

    it("needs tokens where all of its calls were hits", async () => {
      const hits = { ...nothing, freeCalls: 3n };
      assert.deepEqual(await refused({ feature: "support" }, hits), ["input.completion_tokens required"]);
      const { estimate } = await run({ models: ["fast"], feature: "support", ...tokens }, { calls: hits });
      assert.equal(costsOf(estimate).month?.totalNanoUsd, 0n);
      assert.equal(estimate.attemptsPerCall?.source, EstimateSource.DEFAULT);
    });

    it("is refused where the ledger has no call of it", async () => {
      assert.deepEqual(await refused({ feature: "unheard-of", ...tokens }), ["input.feature no_history"]);
    });
  });

  it("takes every number up to its limit", async () => {
    for (const input of [
      { ...tokens, requestsPerDay: 10n ** 12n },
      { promptTokens: 100_000_000n, completionTokens: 100_000_000n, reasoningTokens: 100_000_000n },
      { promptTokens: 1n, completionTokens: 0n, cachedPromptRate: 0, cacheHitRate: 0, attemptsPerCall: 1 },
      { ...tokens, cachedPromptRate: 1, cacheHitRate: 1, attemptsPerCall: 100, historyDays: 366 },
    ]) {
      assert.deepEqual(await refused({ models: ["fast"], ...input }), []);
    }
  });

  describe("refuses", () => {
    const sample = { name: "greet", samples: [{ variables: { text: "x" } }] };
    const cases: readonly [behaviour: string, input: Input, violations: readonly string[]][] = [
      ["no requests", { ...tokens, requestsPerDay: 0n }, ["input.requests_per_day int64.gte_lte"]],
      ["negative requests", { ...tokens, requestsPerDay: -1n }, ["input.requests_per_day int64.gte_lte"]],
      ["too many requests", { ...tokens, requestsPerDay: 10n ** 12n + 1n }, ["input.requests_per_day int64.gte_lte"]],
      ["negative tokens", { ...tokens, promptTokens: -1n }, ["input.prompt_tokens int64.gte_lte"]],
      ["an empty prompt", { ...tokens, promptTokens: 0n }, ["input.prompt_tokens int64.gte_lte"]],
      ["a negative answer", { ...tokens, completionTokens: -1n }, ["input.completion_tokens int64.gte_lte"]],
      ["a hit rate above 1", { ...tokens, cacheHitRate: 1.000001 }, ["input.cache_hit_rate double.gte_lte"]],
      ["a hit rate below 0", { ...tokens, cacheHitRate: -0.1 }, ["input.cache_hit_rate double.gte_lte"]],
      [
        "a hit rate that is no number",
        { ...tokens, cacheHitRate: Number.NaN },
        ["input.cache_hit_rate double.gte_lte"],
      ],
      ["an infinite rate", { ...tokens, cachedPromptRate: Infinity }, ["input.cached_prompt_rate double.gte_lte"]],
      ["less than one attempt", { ...tokens, attemptsPerCall: 0.5 }, ["input.attempts_per_call double.gte_lte"]],
      ["infinite attempts", { ...tokens, attemptsPerCall: Infinity }, ["input.attempts_per_call double.gte_lte"]],
      ["no prompt tokens", { completionTokens: 1n }, ["input.prompt_tokens required"]],
      ["no completion tokens", { promptTokens: 1n }, ["input.completion_tokens required"]],
      ["no completion tokens of a prompt without calls", { prompt: sample }, ["input.completion_tokens required"]],
      ["tokens and samples", { ...tokens, prompt: sample }, ["input.prompt_tokens exclusive"]],
      ["a prompt without samples", { prompt: { name: "greet" } }, ["input.prompt.samples repeated.min_items"]],
      [
        "reasoning without an answer",
        { promptTokens: 1n, reasoningTokens: 1n },
        ["input.reasoning_tokens needs_completion_tokens"],
      ],
      [
        "more reasoning than answer",
        { ...tokens, reasoningTokens: 11n },
        ["input.reasoning_tokens part_of_completion_tokens"],
      ],
      ["a model twice", { ...tokens, models: ["fast", "fast"] }, ["input.models repeated.unique"]],
      [
        "17 models",
        { ...tokens, models: Array.from({ length: 17 }, (_, i) => `m${i}`) },
        ["input.models repeated.max_items"],
      ],
      ["an unknown model", { ...tokens, models: ["fast", "unheard-of"] }, ["UNKNOWN_MODEL"]],
      ["an unknown prompt", { prompt: { ...sample, name: "unheard-of" }, completionTokens: 1n }, ["UNKNOWN_PROMPT"]],
      ["more history than a year", { ...tokens, historyDays: 367 }, ["input.history_days uint32.lte"]],
    ];
    for (const [behaviour, input, violations] of cases) {
      it(behaviour, async () => assert.deepEqual(await refused(input), violations));
    }

    it("no input at all", async () => {
      const estimator = createEstimator({ ...pipelinePorts(targets), history: { measure: async () => undefined } });
      await assert.rejects(estimator.estimate(testCall(), undefined), {
        failure: {
          reason: "INVALID_REQUEST",
          violations: [{ field: "input", rule: "required", description: "value is required" }],
        },
      });
    });

    it("amounts that an int64 cannot hold, rather than wrap them", async () => {
      const dear = (nanoUsd: bigint): PriceBook => ({
        price: () => ({ ...price, longPrompts: [], promptNanoUsdPerMillionTokens: nanoUsd * 1_000_000n }),
      });
      const input: Input = { models: ["fast"], promptTokens: 1n, completionTokens: 0n, requestsPerDay: 16n };
      // x 16 x 30.4375 x 10 = 4,870.
      const most = (2n ** 63n - 1n) / 4870n;
      const { estimate } = await run(input, { priceBook: dear(most) });
      assert.equal(costsOf(estimate).monthAtTenTimes?.totalNanoUsd, most * 4870n);
      await assert.rejects(run(input, { priceBook: dear(most + 1n) }), (error) => {
        const failure = failureOf(error);
        return failure.reason === "INVALID_REQUEST" && failure.violations[0]?.rule === "int64";
      });
    });
  });
});
