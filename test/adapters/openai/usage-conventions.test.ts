import assert from "node:assert/strict";
import { readUsage } from "../../../src/adapters/openai/answer/usage.ts";

const counts = (prompt: number, cached: number, completion: number, reasoning: number) => ({
  promptTokens: prompt,
  cachedPromptTokens: cached,
  completionTokens: completion,
  reasoningTokens: reasoning,
});

describe("usage as providers count it", () => {
  it("has reasoning in the completion, once (OpenAI)", () => {
    const usage = {
      prompt_tokens: 500,
      completion_tokens: 500,
      total_tokens: 1000,
      completion_tokens_details: { reasoning_tokens: 200 },
    };
    assert.deepEqual(readUsage(usage), counts(500, 0, 500, 200));
  });

  it("adds reasoning that is counted apart (xAI)", () => {
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 1,
      total_tokens: 399,
      completion_tokens_details: { reasoning_tokens: 386 },
    };
    assert.deepEqual(readUsage(usage), counts(12, 0, 387, 386));
    const onlyReasoning = { ...usage, completion_tokens: 0, total_tokens: 398 };
    assert.deepEqual(readUsage(onlyReasoning), counts(12, 0, 386, 386));
  });

  it("adds reasoning that only the total tells (Gemini)", () => {
    const usage = { prompt_tokens: 9, completion_tokens: 1, total_tokens: 103 };
    assert.deepEqual(readUsage(usage), counts(9, 0, 94, 93));
  });

  it("adds what is read from and written to a cache where it is counted apart from the prompt", () => {
    const usage = {
      prompt_tokens: 20,
      completion_tokens: 5,
      total_tokens: 10_425,
      prompt_tokens_details: { cached_tokens: 10_000, cache_write_tokens: 400 },
    };
    assert.deepEqual(readUsage(usage), { ...counts(10_420, 10_000, 5, 0), cacheWriteTokens: 400 });
    const readOnly = { ...usage, total_tokens: 10_025, prompt_tokens_details: { cached_tokens: 10_000 } };
    assert.deepEqual(readUsage(readOnly), counts(10_020, 10_000, 5, 0));
  });

  it("has both in the prompt otherwise, and neither larger than its whole", () => {
    const details = { cached_tokens: 8, cache_write_tokens: 8 };
    const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11, prompt_tokens_details: details };
    assert.deepEqual(readUsage(usage), { ...counts(10, 8, 1, 0), cacheWriteTokens: 2 });
  });

  it("adds nothing for a total that is smaller, absurd, or counts something else", () => {
    for (const total_tokens of [0, 5, -1, 1e12, "103", null, undefined]) {
      assert.deepEqual(readUsage({ prompt_tokens: 9, completion_tokens: 1, total_tokens }), counts(9, 0, 1, 0));
    }
    const usage = { prompt_tokens: 9, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 3 } };
    assert.deepEqual(readUsage({ ...usage, total_tokens: 99 }), counts(9, 0, 5, 3));
  });
});
