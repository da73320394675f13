import { type ModelEvent, UpstreamError } from "../../core/model.ts";
import type { Leg } from "./route.ts";

export type ModelEnd = Extract<ModelEvent, { kind: "end" }>;

/** A provider's count below this share of ours cannot be a difference of tokenizers. */
const SHARE_READ = 0.5;
/** No served window is smaller. A lower count is bad bookkeeping, such as none at all, and says nothing of the prompt. */
const SMALLEST_WINDOW_TOKENS = 1_024;

/**
 * The failure of an answer to a part of the prompt: some servers (Ollama with a small `num_ctx`) cut what does not fit
 * without a word, and only the number of prompt tokens that they report tells. Undefined where all of it was read.
 */
export function unreadPrompt({ usage }: ModelEnd, { target, fitted }: Leg): UpstreamError | undefined {
  if (!usage || target.synthetic) return undefined;
  const { promptTokens, schemaTokens, reservedOutputTokens } = fitted.budget;
  // Providers differ in whether they count a schema that they were given apart from the messages.
  const sentTokens = promptTokens - (fitted.output.kind === "json" ? schemaTokens : 0);
  const readTokens = usage.promptTokens;
  if (readTokens < SMALLEST_WINDOW_TOKENS || readTokens >= sentTokens * SHARE_READ) return undefined;
  return new UpstreamError({
    kind: "prompt_truncated",
    httpStatus: 200,
    usage,
    limit: readTokens + reservedOutputTokens,
    requested: sentTokens,
  });
}
