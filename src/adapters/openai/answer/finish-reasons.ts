/** What a `finish_reason` means to us. */
export type Finish =
  | "stop"
  | "length"
  /** The answer was withheld or cut by a filter. */
  | "filtered"
  /** The model called a tool although it was offered none. */
  | "tool_call"
  /** The provider gave up in the middle. */
  | "broken"
  /** The prompt filled the window before anything was answered. */
  | "window_full"
  | "overloaded"
  | "unknown";

/** OpenAI's five, and the words that compatible endpoints let through from what is behind them. Lower case. */
const FINISHES: ReadonlyMap<string, Finish> = new Map<string, Finish>([
  ["stop", "stop"],
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["eos", "stop"],
  ["eos_token", "stop"],
  ["complete", "stop"],
  ["length", "length"],
  ["max_tokens", "length"],
  ["max_output_tokens", "length"],
  ["model_length", "length"],
  ["model_context_window_exceeded", "window_full"],
  ["content_filter", "filtered"],
  ["refusal", "filtered"],
  ["safety", "filtered"],
  ["recitation", "filtered"],
  ["prohibited_content", "filtered"],
  ["blocklist", "filtered"],
  ["spii", "filtered"],
  ["sensitive", "filtered"],
  ["tool_calls", "tool_call"],
  ["function_call", "tool_call"],
  ["tool_use", "tool_call"],
  ["error", "broken"],
  ["abort", "broken"],
  ["cancelled", "broken"],
  ["insufficient_system_resource", "overloaded"],
]);

/** `undefined` where the model has not said yet why it stopped. */
export function readFinish(reason: unknown): Finish | undefined {
  if (typeof reason !== "string" || reason === "") return undefined;
  return FINISHES.get(reason.toLowerCase()) ?? "unknown";
}
