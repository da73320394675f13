import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { SummarizeUsageResponseSchema } from "../../gen/sluice/v1/usage_service_pb.ts";

const at = (text: string) => timestampFromMs(Date.parse(text));

const support = {
  ...{
    calls: 81_204n,
    failedCalls: 312n,
    memoryHits: 19_900n,
    sharedHits: 213n,
    joinedCalls: 402n,
    replayedCalls: 17n,
  },
  ...{ savedNanoUsd: 980_120_000_000n, attempts: 60_310n, promptTokens: 92_113_400n, completionTokens: 11_204_113n },
  ...{ costNanoUsd: 4_012_345_678_901n, latency: { p50Ms: 812.2, p90Ms: 2311.4, p99Ms: 9123.9 } },
};
const search = {
  ...{ calls: 12_345n, failedCalls: 2n, memoryHits: 10n, joinedCalls: 1n, attempts: 12_334n },
  ...{ promptTokens: 1_000_000n, completionTokens: 500n, costNanoUsd: 412_345n, unpricedAttempts: 3n },
  latency: { p50Ms: 12, p90Ms: 18, p99Ms: 40.5 },
};
const others = {
  ...{ calls: 41n, attempts: 41n, promptTokens: 12_004n, completionTokens: 2_113n, costNanoUsd: 71_300_000n },
  latency: { p50Ms: 620.1, p90Ms: 1104.2, p99Ms: 1893.7 },
};

/** A week of a product with nine features, as SummarizeUsage answers it by feature with a limit of two. */
export const week = create(SummarizeUsageResponseSchema, {
  rows: [
    { key: { feature: "support" }, sums: support },
    { key: { feature: "search" }, sums: search },
  ],
  remainder: { rows: 7n, sums: others },
  total: {
    ...{ calls: 93_590n, failedCalls: 314n, memoryHits: 19_910n, sharedHits: 213n, joinedCalls: 403n },
    ...{ replayedCalls: 17n, savedNanoUsd: 980_120_000_000n, attempts: 72_685n, promptTokens: 93_125_404n },
    ...{ completionTokens: 11_206_726n, costNanoUsd: 4_012_417_391_246n, unpricedAttempts: 3n },
    latency: { p50Ms: 790.4, p90Ms: 2204.1, p99Ms: 9004.6 },
  },
  unpricedModels: [{ model: "exotic", attempts: 3n }],
  from: at("2026-03-04T00:00:00Z"),
  to: at("2026-03-10T13:00:00Z"),
});
