import assert from "node:assert/strict";
import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { type Budgets, noBudgets, type PlannedAttempt } from "../../src/core/budgets.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { Price } from "../../src/core/money.ts";
import { Charges, type Payer } from "../../src/pipeline/charge.ts";
import { maxCostNanoUsd } from "../../src/pipeline/max-cost.ts";
import { target } from "../support/models.ts";
import { pipelinePorts, testPrice } from "../support/pipeline-ports.ts";

const payer: Payer = {
  ...{ callId: "c", tenant: "acme", feature: "faq", user: "u-1", keyId: "billing", method: "Complete" },
  ...{ promptName: "", promptVersion: "" },
};

/** Budgets that let everything pass and remember it. */
function recordingBudgets() {
  const planned: PlannedAttempt[] = [];
  const settled: { costNanoUsd: bigint | undefined; tokens: number }[] = [];
  const budgets: Budgets = {
    ...noBudgets(),
    async reserve(_payer, attempt) {
      planned.push(attempt);
      return { settle: (actual) => void settled.push(actual) };
    },
  };
  return { budgets, planned, settled };
}

const plan = {
  target: target({ alias: "fast" }),
  cause: AttemptCause.FIRST,
  waitMs: 0,
  estimatedPromptTokens: 100,
  maxOutputTokens: 50,
};
const tokens = { promptTokens: 90, cachedPromptTokens: 0, completionTokens: 10, reasoningTokens: 0 };

describe("the charge of an attempt", () => {
  it("is reserved at its most before it is recorded, and settled at its end", async () => {
    const { budgets, planned, settled } = recordingBudgets();
    const ports = pipelinePorts([], { budgets });
    const open = await new Charges(ports, payer).begin(plan);
    const estimate = { maxCostNanoUsd: 200n, promptCostNanoUsd: 100n, tokens: 150, model: "fast" };
    assert.deepEqual([planned, settled, ports.records.length], [[estimate], [], 1]);
    await open.end({ tokens, estimated: false, httpStatus: 200 });
    assert.deepEqual(settled, [{ costNanoUsd: 110n, tokens: 100 }]);
  });

  it("is given back where its start cannot be recorded", async () => {
    const { budgets, settled } = recordingBudgets();
    const ports = pipelinePorts([], { budgets, refuse: () => true });
    await assert.rejects(new Charges(ports, payer).begin(plan), SluiceError);
    assert.deepEqual(settled, [{ costNanoUsd: 0n, tokens: 0 }]);
  });

  it("is not recorded where the budget refuses", async () => {
    const refuse = new SluiceError({ reason: "INTERNAL" });
    const ports = pipelinePorts([], { budgets: { ...noBudgets(), reserve: () => Promise.reject(refuse) } });
    const charges = new Charges(ports, payer);
    await assert.rejects(charges.begin(plan), refuse);
    assert.deepEqual([ports.records, charges.started], [[], 0]);
  });

  it("is unknown where the price is", async () => {
    const { budgets, planned, settled } = recordingBudgets();
    const open = await new Charges(pipelinePorts([], { budgets, price: null }), payer).begin(plan);
    assert.deepEqual([planned[0]?.maxCostNanoUsd, planned[0]?.promptCostNanoUsd], [undefined, undefined]);
    await open.end({ tokens, estimated: false, httpStatus: 200 });
    assert.deepEqual(settled, [{ costNanoUsd: undefined, tokens: 100 }]);
  });
});

describe("the most that an attempt can cost", () => {
  it("has each side at the dearest price of its kinds", () => {
    const dear: Price = {
      ...testPrice,
      cacheWriteNanoUsdPerMillionTokens: 1_250_000n,
      reasoningNanoUsdPerMillionTokens: 6_000_000n,
      requestNanoUsdPerMillion: 7_000_000n,
    };
    assert.equal(maxCostNanoUsd(100, 50, testPrice), 200n);
    assert.equal(maxCostNanoUsd(100, 50, dear), 125n + 300n + 7n);
  });
});
