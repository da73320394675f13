import type { CompletionInput, Context, PromptInput } from "../../../../gen/sluice/v1/completion_input_pb.ts";
import type { Test } from "./scalar-rules.ts";

/** What the contract's rules in CEL say, by their ids. A rule without an entry is left to the full validator. */
export const celRules: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["input.prompt_or_messages", (value) => promptOrMessages(value as CompletionInput)],
  ["prompt.one_kind_of_variables", (value) => oneKindOfVariables(value as PromptInput)],
  ["context.unique_ids", (value) => uniqueIds(value as Context["chunks"])],
]);

function promptOrMessages({ prompt, messages }: CompletionInput): boolean {
  return (prompt !== undefined) !== messages.length > 0;
}

function oneKindOfVariables({ variables, variablesJson }: PromptInput): boolean {
  return variables === undefined || variablesJson === "";
}

function uniqueIds(chunks: Context["chunks"]): boolean {
  return new Set(chunks.map(({ id }) => id)).size === chunks.length;
}
