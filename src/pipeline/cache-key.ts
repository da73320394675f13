import type { JsonSchema } from "../core/json-schema.ts";
import type { Draft } from "./build-context/draft.ts";
import type { FittedPrompt } from "./build-context/fit.ts";
import type { BuiltContext } from "./build-context.ts";
import {
  canonicalSchema,
  chunkParts,
  escalationParts,
  messageParts,
  outputParts,
  type Spell,
  samplingParts,
  targetParts,
} from "./cache-key/canonical-parts.ts";
import { canonicalVariables } from "./cache-key/canonical-variables.ts";
import { composed } from "./cache-key/composed.ts";
import { type CacheKey, cacheKey, type OnlyFields } from "./cache-key/key.ts";

/** Raised when the meaning of stored answers or of the key changes; old entries are then never found. */
const KEY_VERSION = "content 3";

/** The content key: a hash over everything that can change the answer, in one spelling. See docs/caching.md. */
export function contentKey(tenant: string, context: BuiltContext): CacheKey {
  // What was retrieved acts through the chunks; where it lies in its documents changes no answer.
  const { draft, target, escalations, fitted, retrieval: _, ...rest } = context;
  rest satisfies Record<string, never>;
  return cacheKey({
    version: KEY_VERSION,
    tenant,
    ...targetParts(target),
    ...escalationParts(escalations),
    ...draftParts(draft),
    ...fittedParts(draft, fitted),
  });
}

function draftParts(draft: Draft): Record<string, unknown> {
  const { output, variables, spelledVariables, said, isOutputCapped, sampling, ...notInKey } = draft;
  // The rest acts only through the messages, the sampling and the target.
  notInKey satisfies OnlyFields<
    typeof notInKey,
    | "prompt"
    | "modelAlias"
    | "templateTokenField"
    | "retrieval"
    | "chunks"
    | "mayTruncate"
    | "isConversation"
    | "showsChunks"
    | "withoutChunks"
    | "render"
  >;
  const hasChecks = output.checks.sources.length > 0;
  return {
    ...outputParts(output),
    // Checks see the variables, of which the messages may show less than all.
    checked_variables: hasChecks ? canonicalVariables(variables, spelledVariables, asWritten) : null,
    // And all that the caller's messages say, of which turns may have been dropped.
    checked_said: hasChecks ? said : null,
    // Whoever said how long an answer may be gets no longer one; others may, where a model's answer was cut off.
    output_cap: isOutputCapped ? sampling.maxOutputTokens : null,
  };
}

function fittedParts(draft: Draft, fitted: FittedPrompt): Record<string, unknown> {
  const { messages, jsonInstructions, chunks, output, sampling, ...notInKey } = fitted;
  // What was counted and dropped shows in the messages.
  notInKey satisfies OnlyFields<typeof notInKey, "messagesOfCorrection" | "budget" | "dropped">;
  // Checks and citations compare texts byte by byte.
  const spell = draft.output.checks.sources.length || chunks.length ? asWritten : composed;
  const respelled = draft.output.kind === "json" ? spellSchema(draft.output.schema) : asWritten;
  return {
    mode: output.kind === "json" ? output.mode : null,
    messages: messages.map((message) => messageParts(message, jsonInstructions.includes(message) ? respelled : spell)),
    chunks: chunks.map(chunkParts),
    ...samplingParts(sampling),
  };
}

function asWritten(text: string): string {
  return text;
}

/** In words that ask for JSON the schema stands as the caller wrote it. */
function spellSchema(schema: JsonSchema): Spell {
  return (text) => text.replace(schema.text, () => canonicalSchema(schema));
}
