import assert from "node:assert/strict";
import { chunk, completion, events, type ScriptedEvent, usageChunk } from "../support/scripted-upstream.ts";
import { textInput, tracesOf, withBench } from "./fault-bench.ts";

const TEXT = "Hammerfest, Vardø, Kirkenes.";

/** What a provider may report that is no count of tokens. */
const absurd: Readonly<Record<string, unknown>> = {
  "negative counts": { prompt_tokens: -310, completion_tokens: -24, total_tokens: -334 },
  "one negative count": { prompt_tokens: 310, completion_tokens: -24 },
  "counts in text": { prompt_tokens: "310", completion_tokens: "24" },
  "counts near the end of a double": { prompt_tokens: 1e308, completion_tokens: 1e308 },
  "counts past the integers of a double": { prompt_tokens: 2 ** 53, completion_tokens: 9e15 },
  fractions: { prompt_tokens: 310.5, completion_tokens: 24.25 },
  "half of it": { prompt_tokens: 310 },
  "the other half": { completion_tokens: 24 },
  nulls: { prompt_tokens: null, completion_tokens: null },
  lists: { prompt_tokens: [310], completion_tokens: [24] },
  "a text": "334 tokens",
  "a list": [310, 24],
  nothing: {},
  null: null,
};

describe("usage that is no usage", () => {
  for (const [what, usage] of Object.entries(absurd)) {
    it(`(${what}) is replaced by our own count, and said to be`, async () => {
      await answeredWith([usageChunk(usage)]);
      await withBench(completion(TEXT, { usage }), {}, checkEstimated);
    });
  }

  it("(not even JSON) never crashes the service, and what was answered is charged", () =>
    withBench(
      events([chunk({ content: TEXT }), chunk({}, "stop"), { raw: 'data: {"usage":{"prompt_tokens":NaN}}\n\n' }]),
      { retry: { max_attempts: 1 } },
      async (bench) => {
        const result = await bench.caller.complete(textInput());
        assert.ok(result.completion?.text === TEXT || result.failure?.reason === "STREAM_INTERRUPTED");
        const [traces] = await tracesOf(bench, 1);
        assert.equal(traces?.call.usage_estimated, true);
        assert.ok(Number(traces.call.cost_nano_usd) > 0);
        assert.deepEqual(
          bench.service.log.filter(({ level }) => level === "error"),
          [],
        );
      },
    ));

  it("(several reports) counts once: the last one that can be trusted", () =>
    withBench(
      events([
        chunk({ content: TEXT }, null, { usage: { prompt_tokens: 310, completion_tokens: 1 } }),
        chunk({}, "stop", { usage: { prompt_tokens: 310, completion_tokens: 24 } }),
        usageChunk({ prompt_tokens: 310, completion_tokens: -1 }),
        { data: "[DONE]" },
      ]),
      {},
      async (bench) => {
        const { completion: answer } = await bench.caller.complete(textInput());
        assert.equal(answer?.usage?.completionTokens, 24n);
        assert.equal(answer.usage.estimated, false);
        assert.equal(answer.costNanoUsd, 310n + 24_000n);
      },
    ));

  it("(absurd parts of a whole) never makes a part larger than it, nor a price negative", () => {
    const usage = {
      prompt_tokens: 310,
      completion_tokens: 24,
      prompt_tokens_details: { cached_tokens: 999 },
      completion_tokens_details: { reasoning_tokens: -5 },
    };
    return withBench(completion(TEXT, { usage }), {}, async ({ caller }) => {
      const { completion: answer } = await caller.complete(textInput());
      assert.equal(answer?.usage?.cachedPromptTokens, 310n);
      assert.equal(answer.usage.reasoningTokens, 0n);
      assert.ok(answer.costNanoUsd !== undefined && answer.costNanoUsd >= 24_000n);
    });
  });
});

function answeredWith(last: readonly ScriptedEvent[]): Promise<void> {
  const script = events([chunk({ content: TEXT }), chunk({}, "stop"), ...last, { data: "[DONE]" }]);
  return withBench(script, {}, checkEstimated);
}

async function checkEstimated(bench: Parameters<Parameters<typeof withBench>[2]>[0]): Promise<void> {
  for (const method of ["complete", "stream"] as const) {
    const { completion: answer, failure } = await bench.caller[method](textInput());
    assert.equal(answer?.text, TEXT, failure?.detailText);
    const { usage, costNanoUsd } = answer;
    assert.equal(usage?.estimated, true);
    assert.ok(usage.promptTokens > 0n && usage.promptTokens < 1_000n, `${usage.promptTokens} prompt tokens`);
    assert.ok(usage.completionTokens > 0n && usage.completionTokens < 1_000n, `${usage.completionTokens}`);
    assert.equal(costNanoUsd, usage.promptTokens + 1_000n * usage.completionTokens);
  }
  for (const { call, attempts } of await tracesOf(bench, 2)) {
    assert.equal(call.usage_estimated, true);
    assert.deepEqual(
      attempts.map(({ usage_estimated }) => usage_estimated),
      [true],
    );
    assert.equal(call.cost_nano_usd, String(call.prompt_tokens + 1_000 * call.completion_tokens));
  }
}
