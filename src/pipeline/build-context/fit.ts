import type { ContextChunk } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { SluiceError } from "../../core/failure.ts";
import type { ChatMessage, ModelOutput, ModelTarget, SamplingOptions } from "../../core/model.ts";
import type { BuiltinPrompts } from "../../core/prompt.ts";
import { TOKENS_PER_MESSAGE, type TokenCounter } from "../../core/tokens.ts";
import type { Draft } from "./draft.ts";
import { modeFor } from "./output-mode.ts";
import { overflowFailure, type PartSizes } from "./overflow.ts";
import { cutIntoParts, messagesIn, NO_VARIABLES, type PromptParts, tokensOf } from "./parts.ts";

/** How a model's window is spent. */
export interface TokenBudget {
  readonly windowTokens: number;
  readonly reservedOutputTokens: number;
  readonly systemTokens: number;
  readonly schemaTokens: number;
  readonly contextTokens: number;
  /** Of the conversation, what is never dropped. */
  readonly instructionTokens: number;
  readonly conversationTokens: number;
  readonly promptTokens: number;
}

/** What was left out so that the rest fits. */
export interface Dropped {
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  /** In the order they went. */
  readonly chunkIds: readonly string[];
  /** Messages, not pairs. */
  readonly turns: number;
}

/** A prompt that fits one model. */
export interface FittedPrompt {
  readonly messages: readonly ChatMessage[];
  /** Those of the messages that ask for JSON in words and show the schema. */
  readonly jsonInstructions: readonly ChatMessage[];
  /** How many of the last ones correct an earlier answer. */
  readonly messagesOfCorrection: number;
  /** The chunks that the messages hold, in the order they are shown. */
  readonly chunks: readonly ContextChunk[];
  readonly output: ModelOutput;
  readonly sampling: SamplingOptions;
  readonly budget: TokenBudget;
  readonly dropped?: Dropped;
}

export interface FitPorts {
  readonly counter: TokenCounter;
  readonly builtins: BuiltinPrompts;
}

/** What an attempt learned about the model that the configuration does not say. */
export interface FitLimits {
  /** Less than the model's window when the provider found our count too small. */
  readonly windowTokens?: number;
  readonly maxOutputTokens?: number;
  /** Most output tokens that the provider takes, where it refused more. */
  readonly outputAllowed?: number;
  /** Asks in words where the provider refused its native JSON mode. */
  readonly withoutJsonMode?: boolean;
  /** Messages after the prompt that must fit too: what is wrong with the answer that it got. */
  readonly appended?: readonly ChatMessage[];
}

/**
 * Fits a draft to a model: prompt tokens + reserved output tokens ≤ the window. Context chunks go first (lowest score
 * first), then the oldest turns of a conversation; never the system part, the instruction or the schema.
 * @throws SluiceError CONTEXT_OVERFLOW when the rest is too large, or when the draft may not be truncated.
 */
export function fitToModel(ports: FitPorts, draft: Draft, target: ModelTarget, limits: FitLimits = {}): FittedPrompt {
  const windowTokens = limits.windowTokens ?? target.contextTokens;
  const sampling = limitSampling(draft, target, limits);
  const output = modelOutput(draft, target, limits);
  const parts = cutIntoParts(ports, draft, target, output);
  const { appended = [] } = limits;
  const appendedTokens = countMessages(ports.counter, target, appended);
  const kept = dropUntilFits(draft, parts, windowTokens - sampling.maxOutputTokens - appendedTokens);
  if (!kept) {
    const room = { reservedOutputTokens: sampling.maxOutputTokens, windowTokens };
    throw new SluiceError(overflowFailure(partsThatMustFit(draft, parts), room, false));
  }
  const spent = spend(parts, kept, sampling.maxOutputTokens, windowTokens);
  const budget = {
    ...spent,
    conversationTokens: spent.conversationTokens + appendedTokens,
    promptTokens: spent.promptTokens + appendedTokens,
  };
  const chunks = draft.chunks.filter((chunk) => !kept.droppedChunks.has(chunk));
  return {
    messages: [...layOut(ports.builtins, draft, parts, chunks, kept.droppedTurns), ...appended],
    jsonInstructions: parts.jsonInstructions,
    messagesOfCorrection: appended.length,
    chunks,
    output,
    sampling,
    budget,
    dropped: describeDropped(kept, parts, budget),
  };
}

function countMessages(counter: TokenCounter, { family }: ModelTarget, messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { text }) => sum + counter.count(text, family) + TOKENS_PER_MESSAGE, 0);
}

function limitSampling(draft: Draft, target: ModelTarget, limits: FitLimits): SamplingOptions {
  const asked = limits.maxOutputTokens ?? draft.sampling.maxOutputTokens ?? target.initialMaxTokens;
  return { ...draft.sampling, maxOutputTokens: Math.min(asked, target.maxOutputTokens) };
}

function modelOutput(draft: Draft, target: ModelTarget, limits: FitLimits): ModelOutput {
  if (draft.output.kind === "text") return { kind: "text" };
  const { text, definition } = draft.output.schema;
  const mode = limits.withoutJsonMode ? "prompt" : modeFor(target.structuredOutput, definition);
  return { kind: "json", mode, schemaText: text };
}

interface Kept {
  /** In the order they went. */
  readonly droppedChunks: ReadonlySet<ContextChunk>;
  readonly droppedTurns: number;
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

function dropUntilFits(draft: Draft, parts: PromptParts, roomTokens: number): Kept | undefined {
  const contextTokens = allContextTokens(parts);
  const tokensBefore = fixedTokens(parts) + contextTokens + tokensOf(parts.droppableTurns);
  const droppedChunks = new Set<ContextChunk>();
  let droppedTurns = 0;
  let tokens = tokensBefore;
  if (draft.mayTruncate) {
    for (const chunk of weakestFirst(draft.chunks)) {
      if (tokens <= roomTokens) break;
      droppedChunks.add(chunk);
      tokens -= parts.chunkTokens.get(chunk) ?? 0;
      if (droppedChunks.size === draft.chunks.length) tokens -= parts.frameTokens;
    }
    for (const turn of parts.droppableTurns) {
      if (tokens <= roomTokens) break;
      droppedTurns += 1;
      tokens -= turn.tokens;
    }
  }
  return tokens <= roomTokens ? { droppedChunks, droppedTurns, tokensBefore, tokensAfter: tokens } : undefined;
}

/** Lowest score first; chunks without a score before those with one; among equals the later one first. */
function weakestFirst(chunks: readonly ContextChunk[]): ContextChunk[] {
  const weight = (chunk: ContextChunk) => chunk.score ?? Number.NEGATIVE_INFINITY;
  return [...chunks].reverse().sort((a, b) => (weight(a) === weight(b) ? 0 : weight(a) - weight(b)));
}

/** System first, then the words that ask for JSON, older turns, context, and the instruction last. */
function layOut(
  builtins: BuiltinPrompts,
  draft: Draft,
  parts: PromptParts,
  chunks: readonly ContextChunk[],
  droppedTurns: number,
): ChatMessage[] {
  const rendered = draft.render(chunks);
  const system = rendered.filter((message) => message.role === "system");
  const rest = rendered.filter((message) => message.role !== "system");
  const dropped = messagesIn(parts.droppableTurns.slice(0, droppedTurns));
  const older = rest.slice(dropped, -1);
  const instruction = rest.slice(-1);
  const block = draft.showsChunks || !chunks.length ? [] : builtins.contextBlock.render(NO_VARIABLES, chunks);
  return [...system, ...parts.jsonInstructions, ...older, ...block, ...instruction];
}

function fixedTokens(parts: PromptParts): number {
  return parts.systemTokens + parts.schemaTokens + parts.instructionTokens;
}

function spend(parts: PromptParts, kept: Kept, reservedOutputTokens: number, windowTokens: number): TokenBudget {
  const turns = tokensOf(parts.droppableTurns.slice(kept.droppedTurns));
  return {
    windowTokens,
    reservedOutputTokens,
    systemTokens: parts.systemTokens,
    schemaTokens: parts.schemaTokens,
    contextTokens: kept.tokensAfter - fixedTokens(parts) - turns,
    instructionTokens: parts.instructionTokens,
    conversationTokens: parts.instructionTokens + turns,
    promptTokens: kept.tokensAfter,
  };
}

function describeDropped(kept: Kept, parts: PromptParts, budget: TokenBudget): Dropped | undefined {
  if (!kept.droppedChunks.size && !kept.droppedTurns) return undefined;
  return {
    tokensBefore: kept.tokensBefore,
    tokensAfter: budget.promptTokens,
    chunkIds: [...kept.droppedChunks].map((chunk) => chunk.id),
    turns: messagesIn(parts.droppableTurns.slice(0, kept.droppedTurns)),
  };
}

/** Where something may be dropped, what counts is only what may not. */
function partsThatMustFit(draft: Draft, parts: PromptParts): PartSizes {
  const fixed = { system: parts.systemTokens, schema: parts.schemaTokens, instruction: parts.instructionTokens };
  if (draft.mayTruncate) return fixed;
  return {
    ...fixed,
    context: allContextTokens(parts),
    conversation: tokensOf(parts.droppableTurns),
  };
}

function allContextTokens({ chunkTokens, frameTokens }: PromptParts): number {
  let total = frameTokens;
  for (const tokens of chunkTokens.values()) total += tokens;
  return total;
}
