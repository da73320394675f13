import assert from "node:assert/strict";
import { readUsage } from "../../../src/adapters/openai/answer/usage.ts";

describe("usage", () => {
  it("is not reported when a count is negative, no number, no integer or absurd", () => {
    for (const prompt_tokens of [-1, "10", 1.5, 1e12, Number.NaN, null, undefined, {}]) {
      assert.equal(readUsage({ prompt_tokens, completion_tokens: 4 }), undefined);
      assert.equal(readUsage({ prompt_tokens: 4, completion_tokens: prompt_tokens }), undefined);
    }
    for (const usage of [null, undefined, [], "x", {}]) assert.equal(readUsage(usage), undefined);
  });

  it("bounds parts by their whole and ignores wrong ones", () => {
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 4,
      prompt_tokens_details: { cached_tokens: 99 },
      completion_tokens_details: { reasoning_tokens: -3 },
    };
    assert.deepEqual(readUsage(usage), {
      promptTokens: 10,
      cachedPromptTokens: 10,
      completionTokens: 4,
      reasoningTokens: 0,
    });
    assert.equal(
      readUsage({ prompt_tokens: 10, completion_tokens: 4, prompt_cache_hit_tokens: 7 })?.cachedPromptTokens,
      7,
    );
  });
});
