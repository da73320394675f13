import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { attempt, modelRequest, withUpstream } from "./model-request.ts";

const LIMITS = { firstByteMs: 10_000, idleMs: 10_000, attemptMs: 10_000 };

describe("the fault scenarios, attempt by attempt", () => {
  const { scenarios } = JSON.parse(
    readFileSync(new URL("../../fixtures/upstream/fault_scenarios.json", import.meta.url), "utf8"),
  );
  const expected: Readonly<Record<string, readonly string[]>> = JSON.parse(
    readFileSync(new URL("../../fixtures/upstream/expected_attempts.json", import.meta.url), "utf8"),
  );

  for (const scenario of scenarios) {
    it(`${scenario.id}: ${expected[scenario.id]?.join(", ")}`, () =>
      withUpstream(scenario, async (model) => {
        const seen: string[] = [];
        const request = modelRequest({
          output: { kind: "json", mode: "json_schema", schemaText: '{"type":"object"}' },
          streamUpstream: scenario.service?.upstream_stream ?? false,
          timeouts: { ...LIMITS, idleMs: 150, attemptMs: scenario.upstream[0].action === "hang" ? 150 : 10_000 },
        });
        for (const _ of scenario.upstream) {
          const { end, failure: found } = await attempt(model, request);
          seen.push(found?.kind ?? end?.finish ?? "nothing");
        }
        assert.deepEqual(seen, expected[scenario.id]);
      }));
  }
});
