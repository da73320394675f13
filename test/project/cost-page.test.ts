import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fromJsonString, type JsonValue, toJson } from "@bufbuild/protobuf";
import { parse } from "yaml";
import * as z from "zod";
import { CostEstimateSchema, EstimateInputSchema } from "../../gen/sluice/v1/estimate_pb.ts";
import { createPriceBook } from "../../src/adapters/prices.ts";
import { priceKeys } from "../../src/config/schema/prices.ts";
import { createEstimator } from "../../src/pipeline/estimate.ts";
import { type Fence, fences } from "../../tools/markdown/fences.ts";
import { fakeTarget } from "../rpc/support/fake-ports.ts";
import { catalog } from "../support/models.ts";
import { pipelinePorts, testCall } from "../support/pipeline-ports.ts";
import { holds } from "./arithmetic.ts";

const CHAPTER = "Three examples by hand";
const examples = Map.groupBy(
  fences(readFileSync("docs/cost.md", "utf8")).filter(({ headings }) => headings[1] === CHAPTER),
  ({ headings }) => headings[2] ?? "",
);

/** What the page writes of an answer: its factors, and what it says of the one model. */
type Answer = { readonly [key: string]: JsonValue };

describe("docs/cost.md", () => {
  it("has three examples", () => assert.equal(examples.size, 3));

  for (const [heading, blocks] of examples) {
    describe(heading, () => {
      const [prices, input, byHand, answer, ...others] = blocks.map(({ text }) => text);

      it("has prices, a request, arithmetic and an answer", () => {
        assert.deepEqual(blocks.map(languageOf), ["yaml", "json", "text", "json"]);
        assert.deepEqual(others, []);
      });

      it("calculates right", () => {
        const lines = (byHand ?? "").trim().split("\n");
        assert.ok(lines.length >= 6);
        for (const line of lines) assert.ok(holds(withoutLabel(line)), line);
      });

      it("is what EstimateCost answers", async () => {
        const given = await estimated(prices ?? "", input ?? "");
        const expected: Answer = JSON.parse(answer ?? "");
        assert.ok("costs" in expected);
        for (const [key, value] of Object.entries(expected)) assert.partialDeepStrictEqual(given[key], value, key);
        // Amounts are there in full.
        assert.deepEqual(given.costs, expected.costs);
      });

      it("has every amount of its arithmetic in the answer, rounded once", () => {
        const costs: Record<string, { totalNanoUsd: string }> = JSON.parse(answer ?? "").costs;
        for (const [label, period] of Object.entries({
          attempt: "attempt",
          day: "day",
          month: "month",
          "at 10x": "monthAtTenTimes",
        })) {
          const line = (byHand ?? "").split("\n").find((text) => text.startsWith(label)) ?? "";
          assert.equal(costs[period]?.totalNanoUsd, roundedHalfUp(line.split("=")[1] ?? ""), label);
        }
      });
    });
  }
});

function languageOf({ language }: Fence): string {
  return language;
}

/** Labels end where two spaces begin. */
function withoutLabel(line: string): string {
  return line.slice(line.indexOf("  "));
}

function roundedHalfUp(text: string): string {
  const [whole = "", fraction = ""] = text.trim().replaceAll(",", "").split(".");
  return String(BigInt(whole) + (/^[5-9]/.test(fraction) ? 1n : 0n));
}

/** Factors of the answer, and those of its one model. */
async function estimated(pricesYaml: string, inputJson: string): Promise<Answer> {
  const { prices } = z.strictObject(priceKeys).parse(parse(pricesYaml));
  const input = fromJsonString(EstimateInputSchema, inputJson);
  const targets = input.models.map((alias) =>
    fakeTarget(alias, { providerModel: alias, contextTokens: 100_000, maxOutputTokens: 10_000 }),
  );
  const estimator = createEstimator({
    ...pipelinePorts(targets),
    models: catalog(...targets),
    prices: createPriceBook({ overrides: prices.override }),
    history: { measure: async () => undefined },
  });
  const { models, ...factors } = answerShape.parse(
    toJson(CostEstimateSchema, await estimator.estimate(testCall(), input)),
  );
  return { ...factors, ...models[0] };
}

const json = z.record(z.string(), z.json());
const answerShape = z.object({ models: z.tuple([json]) }).catchall(z.json());
