import assert from "node:assert/strict";
import type { ReceivedCall } from "../support/scripted-upstream.ts";
import { assertionFields, checkNames, judge } from "./assertions.ts";
import type { CallResult } from "./grpc-calls.ts";
import type { Observation } from "./observation.ts";
import type { Assertion } from "./scenario.ts";
import { scenarioOf } from "./scenario-file.ts";

function received(model: string, prompt: string, more: Readonly<Record<string, unknown>> = {}): ReceivedCall {
  const json = { model, messages: [{ role: "user", content: prompt }], ...more };
  const { startedAt = 0, closedAt = 100 } = more;
  return {
    head: "",
    headers: {},
    body: JSON.stringify(json),
    json,
    startedAt: Number(startedAt),
    closedAt: Number(closedAt),
    closed: Promise.resolve(),
  };
}

const failed: CallResult = {
  failure: { code: 8, reason: "RATE_LIMITED", detailText: "wait for sk-7", retryAfterMs: 1_500, details: {} },
  events: [],
  totalMs: 1,
  metadataText: "x-note: hidden",
};

function seen(more: Partial<Observation>): Observation {
  const request: Observation["request"] = {
    instruction: "Say it.",
    context_chunks: [],
    schema: { properties: { vessel: {}, berth: {} } },
    deadline_ms: 1,
  };
  return { request, received: [], strayRequests: [], results: [], faults: [], concurrency: 1, ...more };
}

const native = { response_format: { type: "json_schema" } };
const twoSizes = (first: string, second: string) => ({ received: [received("a", first), received("b", second)] });
const withUsage = (promptTokens: bigint) => {
  const usage = { promptTokens, completionTokens: 3n };
  return { results: [{ ...failed, completion: { usage } as never }] };
};

/** For every check: an observation that keeps it, and one that breaks it. */
const examples: Readonly<
  Record<string, { readonly fields: object; readonly good: Partial<Observation>; readonly bad: Partial<Observation> }>
> = {
  prompt_smaller: { fields: { call: 2, than: 1 }, good: twoSizes("long", "s"), bad: twoSizes("s", "long") },
  if_call_then_prompt_smaller: {
    fields: { call: 2, than: 1 },
    good: { received: [received("a", "s")] },
    bad: twoSizes("s", "long"),
  },
  prompt_ratio: {
    fields: { call: -1, than: 1, min: 0.9, max: 1.1 },
    good: twoSizes("long", "long"),
    bad: twoSizes("long", "long".repeat(9)),
  },
  prompts_strictly_decreasing: { fields: {}, good: twoSizes("long", "s"), bad: twoSizes("same", "same") },
  prompt_bytes_at_most: {
    fields: { call: 1, value: 60 },
    good: twoSizes("s", "s"),
    bad: twoSizes("s".repeat(60), "s"),
  },
  instruction_and_schema_kept: {
    fields: { call: 1 },
    good: { received: [received("a", "Say it. vessel berth")] },
    bad: { received: [received("a", "Say it. vessel")] },
  },
  max_tokens_larger: {
    fields: { call: 2, than: 1 },
    good: { received: [received("a", "", { max_tokens: 1 }), received("a", "", { max_completion_tokens: 2 })] },
    bad: { received: [received("a", "", { max_tokens: 2 }), received("a", "", { max_tokens: 2 })] },
  },
  max_tokens_at_most: {
    fields: { call: 1, value: 5 },
    good: { received: [received("a", "", { max_tokens: 5 })] },
    bad: { received: [received("a", "", { max_tokens: 6 })] },
  },
  native_json_schema_dropped: {
    fields: { call: 1 },
    good: { received: [received("a", "")] },
    bad: { received: [received("a", "", native)] },
  },
  body_contains_all: { fields: { call: 1, all: ["x", '"y"'] }, good: twoSizes('x "y"', ""), bad: twoSizes("x", "") },
  body_contains_any: { fields: { call: 1, any: ["x", "y"] }, good: twoSizes("x", ""), bad: twoSizes("z", "") },
  body_lacks: { fields: { call: 1, text: "x" }, good: twoSizes("y", ""), bad: twoSizes("x", "") },
  detail_contains: { fields: { text: "wait" }, good: { results: [failed] }, bad: { results: [] } },
  detail_lacks: { fields: { text: "wait" }, good: { results: [] }, bad: { results: [failed] } },
  retry_hint_ms: {
    fields: { min: 1_000, max: 2_000 },
    good: { results: [failed] },
    bad: { results: [{ events: [], totalMs: 1, metadataText: "" }] },
  },
  no_secret_leak: { fields: { text: "hidden" }, good: { results: [] }, bad: { results: [failed] } },
  never_same_model_twice: {
    fields: {},
    good: twoSizes("", ""),
    bad: { received: [received("a", ""), received("a", "")] },
  },
  last_call_model: { fields: { is: "b" }, good: twoSizes("", ""), bad: { received: [received("a", "")] } },
  some_call_model: { fields: { is: "b" }, good: twoSizes("", ""), bad: { received: [received("a", "")] } },
  upstream_closed_within_ms: {
    fields: { call: 1, ms: 100 },
    good: { received: [received("a", "")] },
    bad: { received: [received("a", "", { closedAt: 101 })] },
  },
  second_calls_spread_ms: {
    fields: { min: 10, max: 90 },
    good: { concurrency: 2, received: [0, 0, 5, 50].map((startedAt) => received("a", "", { startedAt })) },
    bad: { concurrency: 2, received: [0, 0, 5, 5].map((startedAt) => received("a", "", { startedAt })) },
  },
  usage_sum: { fields: { prompt_tokens: 7, completion_tokens: 3 }, good: withUsage(7n), bad: withUsage(8n) },
  second_origin_gets_no_request: { fields: {}, good: {}, bad: { strayRequests: ["GET /"] } },
  second_origin_gets_no_authorization: {
    fields: {},
    good: { strayRequests: ["GET / HTTP/1.1\r\nhost: x"] },
    bad: { strayRequests: ["GET / HTTP/1.1\r\nAuthorization: Bearer x"] },
  },
  rss_growth_mb_at_most: {
    fields: { value: 10 },
    good: { load: { rssGrowthBytes: 9e6, longestBlockMs: 0 } },
    bad: { load: { rssGrowthBytes: 11e6, longestBlockMs: 0 } },
  },
  event_loop_block_ms_at_most: {
    fields: { ms: 10 },
    good: { load: { rssGrowthBytes: 0, longestBlockMs: 9 } },
    bad: { load: { rssGrowthBytes: 0, longestBlockMs: 11 } },
  },
};

describe("the assertions of the fault scenarios", () => {
  for (const check of checkNames) {
    it(`${check} holds where it should and fails where it should`, () => {
      const example = examples[check];
      assert.ok(example, "there is an example");
      const assertion: Assertion = { check, ...example.fields };
      judge(seen(example.good), assertion);
      assert.throws(() => judge(seen(example.bad), assertion), { name: "AssertionError" });
    });
  }

  it("takes the larger model for a shorter prompt where the scenario says so", () => {
    judge(seen(twoSizes("s", "long")), { check: "prompt_smaller", call: 2, than: 1, or_model: "b" });
  });

  it("refuses what it does not know: a check, a field, a step, an end of the script", () => {
    assert.throws(() => assertionFields("does_not_exist"), /not known/);
    const defaults = {
      service: {} as never,
      request: { instruction: "", context_chunks: [], schema: null, deadline_ms: 1 },
    };
    const known = { id: "x", level: "must" as const, title: "", upstream: [], expect: { outcome: "OK" } };
    assert.equal(scenarioOf(known, defaults).calls.concurrency, 1);
    assert.equal(scenarioOf({ ...known, request: { sequential_rpcs: 3 } }, defaults).calls.sequential_rpcs, 3);
    const wrong = [
      { ...known, colour: "red" },
      { ...known, request: { colour: "red" } },
      { ...known, service: { colour: "red" } },
      { ...known, after_script: "stop" },
      { ...known, expect: { outcome: "OK", colour: "red" } },
      { ...known, expect: { outcome: "OK", assert: [{ check: "usage_sum", colour: "red" }] } },
      { ...known, upstream: [{ status: 200, colour: "red" }] },
      { ...known, upstream: [{ status: 200, sse: [{ data: "", colour: "red" } as never] }] },
    ];
    for (const scenario of wrong) assert.throws(() => scenarioOf(scenario, defaults), /colour|after_script/);
  });
});
