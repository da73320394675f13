import assert from "node:assert/strict";
import type { AnswerContext } from "../../../src/adapters/openai/answer/summary.ts";
import { UpstreamError, type UpstreamErrorFields, type UpstreamErrorKind } from "../../../src/core/model.ts";

/** A provider's usage with all details, and what must be read from it. */
export const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 4,
  prompt_tokens_details: { cached_tokens: 6 },
  completion_tokens_details: { reasoning_tokens: 3 },
};
export const COUNTS = { promptTokens: 10, cachedPromptTokens: 6, completionTokens: 4, reasoningTokens: 3 };

/** A context that calls every error body "overloaded". */
export function contextOf(more: Partial<AnswerContext> = {}): AnswerContext {
  const classify = (): UpstreamErrorFields => ({ kind: "overloaded", httpStatus: 200 });
  return { httpStatus: 200, acceptsMissingFinish: false, classify, onUnfiltered: () => {}, ...more };
}

/** The kind of the UpstreamError that `run` throws. */
export function kindOf(run: () => unknown): UpstreamErrorKind | "none" {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UpstreamError, String(error));
    return error.fields.kind;
  }
  return "none";
}
