import type { ContextChunk } from "../../../gen/sluice/v1/completion_input_pb.ts";
import type { ChatMessage, ModelOutput, ModelTarget } from "../../core/model.ts";
import type { BuiltinPrompts } from "../../core/prompt.ts";
import { TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT, type TokenCounter } from "../../core/tokens.ts";
import type { Draft, DraftOutput } from "./draft.ts";
import { exampleOf } from "./example-of-schema.ts";

/** Delimiters and line breaks that show a chunk, beside its id and text; a little more than either place uses. */
const TOKENS_PER_CHUNK = 8;

/** Messages that stay or go together: a question and the answers to it. */
export interface Turn {
  readonly messages: readonly ChatMessage[];
  readonly tokens: number;
}

/** A draft cut into what can be dropped and what cannot, each piece counted once. */
export interface PromptParts {
  readonly systemTokens: number;
  readonly schemaTokens: number;
  /** The last turn of a conversation, or all that is not system of a prompt. Never dropped. */
  readonly instructionTokens: number;
  /** The frame around chunks where the prompt has no place for them. */
  readonly frameTokens: number;
  readonly chunkTokens: ReadonlyMap<ContextChunk, number>;
  /** Oldest first, without the last. */
  readonly droppableTurns: readonly Turn[];
  /** The messages that ask for JSON, where the model has no native mode. */
  readonly jsonInstructions: readonly ChatMessage[];
}

export function cutIntoParts(
  ports: { counter: TokenCounter; builtins: BuiltinPrompts },
  draft: Draft,
  target: ModelTarget,
  output: ModelOutput,
): PromptParts {
  const count = (text: string) => ports.counter.count(text, target.family);
  const countMessages = (messages: readonly ChatMessage[]) =>
    messages.reduce((sum, message) => sum + count(message.text) + TOKENS_PER_MESSAGE, 0);
  const messages = draft.render([]);
  const system = messages.filter((message) => message.role === "system");
  const turns = draft.isConversation ? splitTurns(messages) : [messages.filter((m) => m.role !== "system")];
  const counted = turns.map((turn) => ({ messages: turn, tokens: countMessages(turn) }));
  const jsonInstructions = askForJson(ports.builtins, draft, output);
  const nativeSchema = output.kind === "json" && output.mode === "json_schema" ? count(output.schemaText) : 0;
  return {
    systemTokens: countMessages(system) + TOKENS_PER_PROMPT,
    schemaTokens: countMessages(jsonInstructions) + nativeSchema,
    instructionTokens: counted.at(-1)?.tokens ?? 0,
    frameTokens:
      draft.showsChunks || !draft.chunks.length
        ? 0
        : countMessages(ports.builtins.contextBlock.render(NO_VARIABLES, [])),
    chunkTokens: new Map(draft.chunks.map((c) => [c, count(c.id) + count(c.text) + TOKENS_PER_CHUNK])),
    droppableTurns: counted.slice(0, -1),
    jsonInstructions,
  };
}

/** For the context block, which has none. */
export const NO_VARIABLES = { value: {}, spelled: {} };

export function tokensOf(turns: readonly Turn[]): number {
  return turns.reduce((total, turn) => total + turn.tokens, 0);
}

/** How many messages the oldest turns hold. */
export function messagesIn(turns: readonly Turn[]): number {
  return turns.reduce((total, turn) => total + turn.messages.length, 0);
}

/**
 * Models without a native schema mode are asked in words, with the example of the prompt or one that is made from the
 * schema; `json_object` promises JSON but knows no schema.
 */
function askForJson(builtins: BuiltinPrompts, draft: Draft, output: ModelOutput): readonly ChatMessage[] {
  if (output.kind === "text" || output.mode === "json_schema" || draft.output.kind === "text") return [];
  const variables = { schema: output.schemaText, example: shownExampleOf(draft.output, output) };
  return builtins.jsonInstructions.render({ value: variables, spelled: variables }, []);
}

/** The example that a model is shown: the prompt's, or one made from the schema; empty where it is shown none. */
export function shownExampleOf(wanted: DraftOutput, sent: ModelOutput): string {
  if (wanted.kind === "text" || sent.kind === "text" || sent.mode === "json_schema") return "";
  return wanted.exampleText || exampleOf(wanted.schema);
}

/** Each turn begins with a user message, so that dropping one leaves no answer without its question. */
function splitTurns(messages: readonly ChatMessage[]): ChatMessage[][] {
  const turns: ChatMessage[][] = [];
  for (const message of messages) {
    if (message.role === "system") continue;
    const current = turns.at(-1);
    if (current && message.role === "assistant") current.push(message);
    else turns.push([message]);
  }
  return turns;
}
