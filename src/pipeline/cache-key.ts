import { hash } from "node:crypto";
import type { ContextChunk } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { ChatMessage, ModelOutput, ModelTarget, SamplingOptions } from "../core/model.ts";
import type { Draft } from "./build-context/draft.ts";
import type { FittedPrompt } from "./build-context/fit.ts";
import type { BuiltContext } from "./build-context.ts";

/** Raised when the meaning of stored answers or of the key changes; old entries are then never found. */
const KEY_VERSION = 1;

/** A cache key and what it is made of. */
export interface ContentKey {
  /** SHA-256, lower-case hex. */
  readonly key: string;
  /** The names of the parts, for `Explain`. */
  readonly parts: readonly string[];
}

/**
 * The content key: a hash over everything that can change the answer. The functions below take their values apart
 * field by field, and what is left over must be nothing: a new field does not compile until someone has said whether
 * it belongs in the key.
 */
export function contentKey(tenant: string, context: BuiltContext): ContentKey {
  const { draft, target, escalations, fitted, ...rest } = context;
  rest satisfies Record<string, never>;
  const parts: Record<string, unknown> = {
    version: KEY_VERSION,
    tenant,
    ...targetParts(target),
    // An answer of the stronger model is stored too; what it is may change under the same alias.
    escalations: escalations.map((stronger) => Object.values(targetParts(stronger))),
    ...draftParts(draft),
    ...fittedParts(fitted),
  };
  // JSON with a fixed order of names is unambiguous: every text is quoted, so no value can pose as its neighbour.
  return { key: hash("sha256", JSON.stringify(parts)), parts: Object.keys(parts) };
}

/** `T` where `Names` names every field of it, else `never`, which nothing satisfies. */
type OnlyFields<T, Names> = [keyof T] extends [Names] ? T : never;

function targetParts(target: ModelTarget): Record<string, unknown> {
  // The alias stands for its fallbacks too: callers of an alias without one must not be answered by another's.
  const { alias, provider, providerModel, synthetic, ...notInKey } = target;
  // How an answer is fetched, counted or described changes no answer; limits act through messages and sampling.
  notInKey satisfies OnlyFields<
    typeof notInKey,
    | "family"
    | "contextTokens"
    | "maxOutputTokens"
    | "initialMaxTokens"
    | "structuredOutput"
    | "streamUpstream"
    | "templateTokens"
    | "fallbacks"
    | "escalateTo"
    | "timeouts"
    | "limits"
    | "description"
    | "chat"
  >;
  const { id, baseUrl, settings, ...restOfProvider } = provider;
  restOfProvider satisfies Record<string, never>;
  return {
    model: alias,
    provider: id,
    base_url: baseUrl,
    // Hashed in with the rest, so headers that are secrets stay so.
    provider_settings: settings,
    provider_model: providerModel,
    synthetic,
  };
}

function draftParts(draft: Draft): Record<string, unknown> {
  const { output, variables, ...notInKey } = draft;
  // The rest acts only through the messages, the sampling and the target.
  notInKey satisfies OnlyFields<
    typeof notInKey,
    | "prompt"
    | "modelAlias"
    | "isOutputCapped"
    | "said"
    | "templateTokenField"
    | "sampling"
    | "chunks"
    | "mayTruncate"
    | "isConversation"
    | "showsChunks"
    | "render"
  >;
  const checks = output.checks.sources.map(({ rule, message, ...rest }) => {
    rest satisfies Record<string, never>;
    return [rule, message];
  });
  // Checks see the variables, of which the messages may show less than all.
  return { asked_output: output.kind, checks, checked_variables: checks.length > 0 ? variables : null };
}

function fittedParts(fitted: FittedPrompt): Record<string, unknown> {
  const { messages, chunks, output, sampling, ...notInKey } = fitted;
  // What was counted and dropped shows in the messages.
  notInKey satisfies OnlyFields<typeof notInKey, "messagesOfCorrection" | "budget" | "dropped">;
  return {
    messages: messages.map(messageParts),
    chunks: chunks.map(chunkParts),
    output: outputParts(output),
    ...samplingParts(sampling),
  };
}

function messageParts(message: ChatMessage): unknown[] {
  const { role, text, ...rest } = message;
  rest satisfies Record<string, never>;
  return [role, text];
}

function chunkParts(chunk: ContextChunk): unknown[] {
  const { id, text, score, $typeName, $unknown, ...rest } = chunk;
  rest satisfies Record<string, never>;
  // The score comes back in citations.
  return [id, text, score];
}

function outputParts(output: ModelOutput): unknown[] {
  if (output.kind === "text") return ["text"];
  const { kind, mode, schemaText, ...rest } = output;
  rest satisfies Record<string, never>;
  return [kind, mode, schemaText];
}

function samplingParts(sampling: SamplingOptions): Record<string, unknown> {
  const {
    temperature,
    topP,
    maxOutputTokens,
    stop,
    seed,
    presencePenalty,
    frequencyPenalty,
    reasoningEffort,
    ...rest
  } = sampling;
  rest satisfies Record<string, never>;
  return {
    temperature,
    top_p: topP,
    max_output_tokens: maxOutputTokens,
    stop,
    seed: seed?.toString(),
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
    reasoning_effort: reasoningEffort,
  };
}
