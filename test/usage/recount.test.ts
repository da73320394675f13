import assert from "node:assert/strict";
import type { SeenCall } from "../../bench/week/callers.ts";
import { weekFeatures, weekTenants } from "../../bench/week/cast.ts";
import { planWeek } from "../../bench/week/plan.ts";
import { estimatedPrompt, priceRequest } from "../../bench/week/price-tag.ts";
import { Recount } from "../../bench/week/recount.ts";
import type { LoggedRequest, ReportedTokens } from "../../bench/week/upstream.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";

const NONE: ReportedTokens = { prompt: 0, cached: 0, written: 0, completion: 0, reasoning: 0 };

function logged(providerModel: string, tokens: Partial<ReportedTokens>): LoggedRequest {
  const outcome = { kind: "reported" as const, tokens: { ...NONE, ...tokens } };
  return { callId: "call", attempt: 1, question: "question", providerModel, outcome };
}

describe("the recount of the week", () => {
  // By hand: 0.1005 USD for a million tokens is 100.5 nano-USD a token. For example the fourth: 70 × 1,234.5 +
  // 10 × 123.45 + 20 × 1,543.125 + 9,876.54321 = 128,388.54321.
  const worked: readonly [string, Partial<ReportedTokens>, bigint | undefined][] = [
    ["week-small", { prompt: 1 }, 101n],
    ["week-small", { prompt: 2 }, 201n],
    ["week-small", { prompt: 10, cached: 4, completion: 3 }, 1_908n],
    ["week-large", { prompt: 100, cached: 10, written: 20, completion: 1 }, 128_389n],
    ["week-thinker", { prompt: 3_000 }, 8_250_000n],
    ["week-thinker", { prompt: 3_001 }, 15_755_000n],
    ["week-thinker", { prompt: 100, completion: 10, reasoning: 4 }, 1_109_383n],
    ["week-mystery", { prompt: 100 }, undefined],
  ];
  for (const [model, tokens, nanoUsd] of worked) {
    it(`prices ${JSON.stringify(tokens)} of ${model} as worked by hand`, () => {
      assert.equal(priceRequest(logged(model, tokens)).nanoUsd, nanoUsd);
    });
  }

  it("counts what was not reported", () => {
    const outcome = { kind: "unreported" as const, prompt: ["It sails at nine."], answer: "At nine." };
    const { tokens, isEstimated, nanoUsd } = priceRequest({ ...logged("week-small", {}), outcome });
    assert.equal(tokens.prompt, estimatedPrompt(["It sails at nine."]));
    assert.equal(tokens.prompt, 5 + 3 + 3);
    assert.equal(tokens.completion, 3);
    assert.equal(isEstimated, true);
    assert.equal(nanoUsd, 2_310n);
  });

  const [call] = planWeek(1, 1).flatMap(({ calls }) => calls);
  assert.ok(call);
  const seen: SeenCall = {
    planned: { ...call, model: "small" },
    atMs: Date.parse("2026-03-04T05:06:07Z"),
    callId: "call",
    status: CacheStatus.MISS,
    errorReason: "",
    costNanoUsd: 201n,
  };

  it("says where a caller was told another cost than the log has", () => {
    assert.deepEqual(new Recount([logged("week-small", { prompt: 2 })], [seen]).contradictions, []);
    assert.equal(new Recount([logged("week-small", { prompt: 1 })], [seen]).contradictions.length, 1);
  });

  it("says where the provider saw a call that nobody made", () => {
    const stranger = { ...logged("week-small", { prompt: 2 }), callId: "stranger" };
    assert.equal(new Recount([logged("week-small", { prompt: 2 }), stranger], [seen]).contradictions.length, 1);
  });

  it("puts money under the model that was paid, and the call under the one that was asked", () => {
    const byModel = new Recount([logged("week-large", { prompt: 2 })], [seen]).sumBy(["model", "day"]);
    const day = "2026-03-04T00:00:00.000Z";
    assert.equal(byModel.get(JSON.stringify(["small", day]))?.calls, 1n);
    assert.equal(byModel.get(JSON.stringify(["large", day]))?.costNanoUsd, 2_469n);
  });

  it("is of a week of every feature, every user and every kind of trouble", () => {
    const calls = planWeek(100_000, 7).flatMap((tick) => tick.calls);
    assert.equal(calls.length, 100_000);
    assert.equal(new Set(calls.map(({ feature }) => feature.name)).size, weekFeatures.length);
    assert.equal(new Set(calls.map(({ user }) => user)).size, weekTenants.flatMap(({ users }) => users).length);
    assert.equal(new Set(calls.map(({ question }) => question.kind)).size, 12);
  });
});
