import { clone, create } from "@bufbuild/protobuf";
import {
  CacheStatus,
  type Completion,
  CompletionSchema,
  FinishReason,
  type PromptReference,
  PromptReferenceSchema,
  type StageTimings,
  type Truncation,
  TruncationSchema,
} from "../../gen/sluice/v1/completion_pb.ts";
import { TokenUsageSchema } from "../../gen/sluice/v1/token_usage_pb.ts";
import type { Call } from "../core/call.ts";
import type { LoadedPrompt } from "../core/prompt.ts";
import type { Dropped, FittedPrompt } from "./build-context/fit.ts";
import type { BuiltContext } from "./build-context.ts";
import type { ModelAnswer } from "./call-model.ts";
import type { Charged } from "./charge.ts";
import { findCitations, findUnknownCitations } from "./citations.ts";
import { placed, shownOf, withTextsOf } from "./retrieve/shown.ts";

/** The completion as its payer gets it, still without what differs from caller to caller. */
export function assembleCompletion(answer: ModelAnswer, context: BuiltContext, charged: Charged): Completion {
  const { target, fitted, finish, servedModel, good } = answer;
  return create(CompletionSchema, {
    text: good.text,
    finishReason: finish === "stop" ? FinishReason.STOP : FinishReason.LENGTH,
    model: target.alias,
    providerModel: servedModel,
    prompt: promptReference(context.draft.prompt),
    usage: charged.usage,
    costNanoUsd: charged.costNanoUsd,
    cacheStatus: CacheStatus.MISS,
    attempts: [...charged.attempts],
    truncation: truncation(fitted.dropped),
    ...(context.draft.output.kind === "text" && citedIn(good.text, context, fitted)),
    retrieval: shownOf(context.retrieval, fitted.chunks),
    synthetic: target.synthetic,
    repairs: [...good.repairs],
  });
}

function citedIn(text: string, { retrieval }: BuiltContext, { chunks }: FittedPrompt) {
  return {
    citations: placed(findCitations(text, chunks), retrieval),
    unknownCitations: findUnknownCitations(text, chunks),
  };
}

/** Parts of a completion that differ among the callers of one answer. */
export type OwnParts = Partial<Pick<Completion, "prompt" | "truncation" | "retrieval">> & {
  /** What this caller has paid for all the same. */
  readonly charged?: Charged;
};

/**
 * The completion for a caller who did not pay for it: what was spent is another call's, and that is what this one saved.
 * What is stored stays as it is.
 * @param own parts that are this caller's own, in place of those of the one who paid.
 */
export function unpaid(completion: Completion, cacheStatus: CacheStatus, parts: OwnParts = {}): Completion {
  const { charged, retrieval, ...own } = parts;
  return {
    ...clone(CompletionSchema, completion),
    ...own,
    ...(retrieval && {
      retrieval: withTextsOf(retrieval, completion.retrieval),
      citations: placed(completion.citations, retrieval),
    }),
    cacheStatus,
    // Of an answer that was not paid for when it was kept, what it had saved then.
    savedNanoUsd: completion.savedNanoUsd ?? completion.costNanoUsd,
    usage: charged?.usage ?? create(TokenUsageSchema),
    costNanoUsd: charged ? charged.costNanoUsd : 0n,
    attempts: [...(charged?.attempts ?? [])],
  };
}

/** The completion with what belongs to this one call. */
export function forCaller(completion: Completion, call: Call, timings: StageTimings): Completion {
  return { ...completion, callId: call.id, timings };
}

export function promptReference(prompt: LoadedPrompt | undefined): PromptReference | undefined {
  if (!prompt) return undefined;
  const { name, version, contentHash } = prompt;
  return create(PromptReferenceSchema, { name, version, contentHash });
}

export function truncation(dropped: Dropped | undefined): Truncation | undefined {
  if (!dropped) return undefined;
  return create(TruncationSchema, {
    tokensBefore: BigInt(dropped.tokensBefore),
    tokensAfter: BigInt(dropped.tokensAfter),
    droppedChunkIds: [...dropped.chunkIds],
    droppedTurns: dropped.turns,
  });
}
