import type { Draft } from "../build-context/draft.ts";
import type { DraftedContext } from "../build-context.ts";
import {
  buildingParts,
  chunkParts,
  escalationParts,
  messageParts,
  outputParts,
  retrievalParts,
  samplingParts,
  targetParts,
} from "./canonical-parts.ts";
import { canonicalVariables } from "./canonical-variables.ts";
import { type CacheKey, cacheKey, type OnlyFields } from "./key.ts";

/** Raised when the meaning of the key changes. */
const KEY_VERSION = "request 2";

/** The corpus version where nothing is retrieved. */
export const NO_CORPUS = "none";

/**
 * The request key: a hash over everything that decides which messages a request becomes and who answers them, before
 * anything is retrieved, counted or left out. Requests with the same one have the same content key, as long as the
 * corpus and the model's configuration stay. See docs/caching.md.
 * @param corpusVersion of what is retrieved from.
 */
export function requestKey(tenant: string, drafted: DraftedContext, corpusVersion: string): CacheKey {
  // Of what was retrieved the plan and the version of the corpus decide.
  const { draft, target, escalations, retrieval: _, ...rest } = drafted;
  rest satisfies Record<string, never>;
  return cacheKey({
    version: KEY_VERSION,
    tenant,
    corpus_version: corpusVersion,
    ...targetParts(target),
    ...buildingParts(target),
    ...escalationParts(escalations),
    ...draftParts(draft),
  });
}

const asWritten = (text: string) => text;

function draftParts(draft: Draft): Record<string, unknown> {
  const {
    prompt,
    output,
    variables,
    spelledVariables,
    sampling,
    isOutputCapped,
    retrieval,
    chunks,
    mayTruncate,
    withoutChunks,
    ...notInKey
  } = draft;
  // The alias acts through the target; the rest follows from the prompt and the messages.
  notInKey satisfies OnlyFields<
    typeof notInKey,
    "modelAlias" | "said" | "templateTokenField" | "isConversation" | "showsChunks" | "render"
  >;
  return {
    prompt: prompt?.contentHash ?? null,
    // Texts as they are written: another spelling has another number of tokens, and what is left out goes by that.
    variables: canonicalVariables(variables, spelledVariables, asWritten),
    // A prompt may compare a variable with a text, and show another part of itself for another spelling.
    messages: withoutChunks.map((message) => messageParts(message, asWritten)),
    retrieval: retrieval ? retrievalParts(retrieval) : null,
    chunks: chunks.map(chunkParts),
    may_truncate: mayTruncate,
    ...outputParts(output),
    ...samplingParts(sampling),
    is_output_capped: isOutputCapped,
  };
}
