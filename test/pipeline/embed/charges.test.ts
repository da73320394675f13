import assert from "node:assert/strict";
import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import { type Budgets, noBudgets } from "../../../src/core/budgets.ts";
import type { EmbeddingRequest } from "../../../src/core/embedding.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import { UpstreamError } from "../../../src/core/model.ts";
import { costNanoUsd, type Price } from "../../../src/core/money.ts";
import { divide } from "../../../src/pipeline/embed/divide.ts";
import { embedTexts } from "../../../src/pipeline/embed.ts";
import { scriptedEndpoint } from "../../support/embedding-models.ts";
import { testPrice } from "../../support/pipeline-ports.ts";
import { embeddingTarget, embedPorts, faultyEndpoint, heldEndpoint, jobOf, words, wordVector } from "./fixture.ts";

/** The same row of numbers in every run: mulberry32. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const sum = (numbers: readonly bigint[]) => numbers.reduce((all, number) => all + number, 0n);

/** Budgets in which these users have nothing left. */
function refusing(...users: readonly string[]): Budgets {
  const none = noBudgets();
  return {
    ...none,
    async reserve(payer, attempt) {
      if (!users.includes(payer.user)) return none.reserve(payer, attempt);
      throw new SluiceError({
        ...{ reason: "BUDGET_EXCEEDED", scope: "user", name: payer.user, per: "day", resetAtMs: 0 },
        ...{ limitNanoUsd: 1n, spentNanoUsd: 1n, reservedNanoUsd: 0n },
      });
    },
  };
}

describe("what a whole is divided into", () => {
  it("adds up to it, and is next to its exact part", () => {
    const random = randomNumbers(8);
    for (let round = 0; round < 2_000; round += 1) {
      const weights = Array.from({ length: 1 + random(40) }, () => 1 + random(random(2) ? 8 : 9_000));
      const total = BigInt(random(random(2) ? 50 : 5_000_000));
      const parts = divide(total, weights);
      const whole = weights.reduce((all, weight) => all + weight, 0);
      assert.equal(sum(parts), total);
      for (const [index, part] of parts.entries()) {
        const exact = (Number(total) * (weights[index] ?? 0)) / whole;
        assert.ok(Math.abs(Number(part) - exact) < 1, `${part} is not next to ${exact}`);
      }
    }
  });

  it("goes to the largest remainder, and of equals to the first", () => {
    assert.deepEqual(divide(10n, [1, 1, 1]), [4n, 3n, 3n]);
    assert.deepEqual(divide(5n, [3, 1, 4]), [2n, 1n, 2n]);
    assert.deepEqual(divide(0n, [3, 1]), [0n, 0n]);
  });
});

describe("what a shared request costs", () => {
  it("is charged to its calls to the token and the nano-USD", async () => {
    const random = randomNumbers(3);
    // Less than a nano-USD a token, a fee for the request, and another price above a length: none may be taken per share.
    const price: Price = {
      ...{ promptNanoUsdPerMillionTokens: 20_003n, cachedPromptNanoUsdPerMillionTokens: 0n },
      ...{ completionNanoUsdPerMillionTokens: 0n, requestNanoUsdPerMillion: 7_000_000n, version: "test" },
      longPrompts: [
        {
          ...{ abovePromptTokens: 1_000, promptNanoUsdPerMillionTokens: 40_007n },
          ...{ cachedPromptNanoUsdPerMillionTokens: 0n, completionNanoUsdPerMillionTokens: 0n },
        },
      ],
    };
    for (let round = 0; round < 40; round += 1) {
      const endpoint = heldEndpoint();
      const ports = embedPorts(embeddingTarget({ endpoint }), { price });
      const jobs = Array.from({ length: 1 + random(30) }, (_, call) =>
        jobOf(
          ports,
          Array.from({ length: 1 + random(4) }, (__, index) => `${round} ${call} ${index}${" w".repeat(random(60))}`),
        ),
      );
      const all = jobs.map((job) => embedTexts(ports, job));
      const reported = 1 + random(3_000);
      (await endpoint.request(0)).answer(reported);
      await Promise.all(all);
      const charged = jobs.map(({ charges }) => charges.total());
      assert.equal(endpoint.requests.length, 1);
      assert.equal(sum(charged.map(({ usage }) => usage.promptTokens)), BigInt(reported));
      const tokens = { promptTokens: reported, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };
      assert.equal(sum(charged.map((one) => one.costNanoUsd ?? -1n)), costNanoUsd(tokens, price));
      const counted = (texts: readonly string[]) => texts.reduce((count, text) => count + words(text), 0);
      const whole = jobs.reduce((count, { texts }) => count + counted(texts), 0);
      for (const [index, { usage }] of charged.entries()) {
        const exact = (reported * counted(jobs[index]?.texts ?? [])) / whole;
        assert.ok(Math.abs(Number(usage.promptTokens) - exact) < 1);
      }
    }
  });

  it("adds up over requests that fail, are split and are tried again", async () => {
    const random = randomNumbers(21);
    for (let round = 0; round < 60; round += 1) {
      let billed = 0n;
      let billedNanoUsd = 0n;
      const price = { ...testPrice, promptNanoUsdPerMillionTokens: 130_001n };
      const bill = () => {
        const promptTokens = random(500);
        const tokens = { promptTokens, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 };
        billed += BigInt(promptTokens);
        billedNanoUsd += costNanoUsd(tokens, price);
        return tokens;
      };
      const endpoint = {
        async embed({ texts, dimension }: EmbeddingRequest) {
          const usage = bill();
          const isGuilty = texts.some((text) => text.startsWith("guilty"));
          if (isGuilty) throw new UpstreamError({ kind: "content_filtered_input", httpStatus: 400, usage });
          if (random(4) === 0) throw new UpstreamError({ kind: "overloaded", httpStatus: 503, usage });
          return { vectors: texts.map((text) => wordVector(text, dimension)), promptTokens: usage.promptTokens };
        },
      };
      const ports = embedPorts(embeddingTarget({ endpoint, maxBatchTexts: 1 + random(20) }), { price });
      const jobs = Array.from({ length: 1 + random(25) }, (_, call) =>
        jobOf(ports, [`${random(8) ? "good" : "guilty"} ${call}${" w".repeat(random(20))}`, `more of ${random(6)}`]),
      );
      await Promise.allSettled(jobs.map((job) => embedTexts(ports, job)));
      while (ports.embedBatches.size > 0) await turn();
      const charged = jobs.map(({ charges }) => charges.total());
      assert.equal(sum(charged.map(({ usage }) => usage.promptTokens)), billed);
      assert.equal(sum(charged.map((one) => one.costNanoUsd ?? -1n)), billedNanoUsd);
    }
  });

  it("is our own count where the provider reports none, and unknown where the price is", async () => {
    const endpoint = { embed: async () => ({ vectors: [Float32Array.of(1), Float32Array.of(-1)] }) };
    const ports = embedPorts(embeddingTarget({ endpoint, dimension: 1 }), { price: null });
    const job = jobOf(ports, ["a b", "c"]);
    await embedTexts(ports, job);
    const { usage, costNanoUsd: cost } = job.charges.total();
    assert.deepEqual([usage.promptTokens, usage.estimated, cost], [3n, true, undefined]);
  });

  it("is recorded as begun before anything is sent, and as ended before anybody is answered", async () => {
    const endpoint = heldEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const embedding = Promise.all([jobOf(ports, ["a"]), jobOf(ports, ["b"])].map((job) => embedTexts(ports, job)));
    const request = await endpoint.request(0);
    const types = () => ports.records.map(({ type }) => type);
    assert.deepEqual(types(), ["attempt_started", "attempt_started"]);
    request.answer();
    await embedding;
    assert.deepEqual(types().slice(2), ["attempt_finished", "attempt_finished"]);
  });

  it("is not made where it cannot be recorded", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }), { refuse: () => true });
    await assert.rejects(embedTexts(ports, jobOf(ports, ["a"])), { message: "STORE_UNAVAILABLE" });
    await turn();
    assert.deepEqual([endpoint.requests.length, ports.embedBatches.size], [0, 0]);
  });

  it("is nothing for the built-in model", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint, isBuiltIn: true, maxBatchTexts: 2 }), {
      budgets: refusing(""),
    });
    const job = jobOf(ports, ["a", "b", "c"]);
    await embedTexts(ports, job);
    assert.deepEqual(
      endpoint.requests.map(({ texts }) => texts.length),
      [2, 1],
    );
    const { attempts, costNanoUsd: cost } = job.charges.total();
    assert.deepEqual([attempts, cost, ports.records], [[], 0n, []]);
  });
});

describe("a call that may not pay", () => {
  /** Jobs of users, with the user's name as their text unless it is said. */
  function asUser(ports: ReturnType<typeof embedPorts>, user: string, text = user) {
    const job = jobOf(ports, [text]);
    const { budgets } = ports;
    const payer = { callId: job.call.id, tenant: "acme", feature: "", user, keyId: "" };
    const begin = job.charges.begin.bind(job.charges);
    job.charges.begin = async (plan) => {
      const nothing = { maxCostNanoUsd: 0n, promptCostNanoUsd: 0n, tokens: 0, model: "" };
      await budgets.reserve(payer, nothing);
      return begin(plan);
    };
    return job;
  }

  it("takes only its own texts out of the batch", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }), { budgets: refusing("poor") });
    const poor = embedTexts(ports, asUser(ports, "poor"));
    const rich = embedTexts(ports, asUser(ports, "rich"));
    await assert.rejects(poor, { message: "BUDGET_EXCEEDED" });
    assert.deepEqual((await rich).statuses, [CacheStatus.MISS]);
    assert.deepEqual(
      endpoint.requests.map(({ texts }) => texts),
      [["rich"]],
    );
  });

  it("leaves a text to those who joined it", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }), { budgets: refusing("poor"), price: testPrice });
    const poor = embedTexts(ports, asUser(ports, "poor", "the same"));
    const job = asUser(ports, "rich", "the same");
    const rich = embedTexts(ports, job);
    await assert.rejects(poor, { message: "BUDGET_EXCEEDED" });
    assert.deepEqual((await rich).statuses, [CacheStatus.MISS]);
    assert.equal(job.charges.total().usage.promptTokens, 2n);
    await turn();
    assert.deepEqual([endpoint.requests.length, ports.embedBatches.size], [1, 0]);
  });

  it("leaves a text to another batch, so that it is not sent twice", async () => {
    const endpoint = faultyEndpoint((_, index) => (index === 0 ? { kind: "overloaded", httpStatus: 503 } : undefined));
    const ports = embedPorts(embeddingTarget({ endpoint }), { budgets: refusing("poor") });
    const poor = embedTexts(ports, asUser(ports, "poor", "the same"));
    const rich = embedTexts(ports, asUser(ports, "rich", "the same"));
    const other = embedTexts(ports, asUser(ports, "other"));
    await assert.rejects(poor, { message: "BUDGET_EXCEEDED" });
    await Promise.all([rich, other]);
    const sent = endpoint.requests.map(({ texts }) => texts.join());
    assert.deepEqual(sent.toSorted(), ["other", "other", "the same"]);
  });
});
