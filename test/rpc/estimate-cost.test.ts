import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { EstimateInputSchema } from "../../gen/sluice/v1/estimate_pb.ts";
import { UsageService } from "../../gen/sluice/v1/usage_service_pb.ts";
import { failureOf } from "../../src/core/failure.ts";
import { createEstimator } from "../../src/pipeline/estimate.ts";
import { estimateCost } from "../../src/rpc/usage-service/estimate-cost.ts";
import { pipelinePorts, testCall } from "../support/pipeline-ports.ts";
import { fakePrompt, fakePrompts, fakeTarget } from "./support/fake-ports.ts";

const target = fakeTarget("fast", { contextTokens: 1_000_000, maxOutputTokens: 100_000 });
const tenants: string[] = [];
const estimator = createEstimator({
  ...pipelinePorts([target], { prompts: fakePrompts([fakePrompt("greet")]) }),
  history: {
    async measure(tenant) {
      tenants.push(tenant);
      return undefined;
    },
  },
});
const client = createClient(
  UsageService,
  createRouterTransport((router) => {
    router.service(UsageService, {
      estimateCost: (request) => estimateCost({ estimator }, testCall(), request),
    });
  }),
);

describe("UsageService.EstimateCost", () => {
  it("answers with the estimate, over the wire", async () => {
    const { estimate } = await client.estimateCost({
      input: {
        requestsPerDay: 1000n,
        prompt: { name: "greet", samples: [{ variables: { text: "one two three" } }] },
        completionTokens: 10n,
        cacheHitRate: 0.5,
      },
    });
    const outcome = estimate?.models[0]?.outcome;
    // 14 prompt tokens at one nano-USD, 10 at two, for half of the calls.
    assert.equal(outcome?.case === "costs" && outcome.value.day?.totalNanoUsd, 17_000n);
    assert.equal(estimate?.models[0]?.price?.version, "test");
    assert.equal(estimate?.cacheHits?.millionths, 500_000n);
  });

  it("measures calls of the caller's own tenant", async () => {
    await assert.rejects(client.estimateCost({ input: { requestsPerDay: 1n, feature: "support" } }));
    assert.deepEqual(tenants, ["acme"]);
  });

  it("refuses a request without input", async () => {
    await assert.rejects(client.estimateCost({}));
    const request = { $typeName: "sluice.v1.EstimateCostRequest" as const };
    await assert.rejects(estimateCost({ estimator }, testCall(), request), (error) => {
      const failure = failureOf(error);
      return failure.reason === "INVALID_REQUEST" && failure.violations[0]?.field === "input";
    });
  });

  it("ends when the caller leaves while samples are counted", async () => {
    const call = testCall();
    call.leave();
    const input = { requestsPerDay: 1n, prompt: { name: "greet", samples: [{ variables: { text: "x" } }] } };
    const message = create(EstimateInputSchema, { ...input, completionTokens: 1n });
    await assert.rejects(estimator.estimate(call, message), /the caller left/);
  });
});
