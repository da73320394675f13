import {
  CacheStatus,
  type Citation,
  type Completion,
  FinishReason,
  type Retrieval,
} from "../../gen/sluice/v1/completion_pb.ts";
import { RestartCause, type Restarted } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { formatNanoUsd } from "../core/money.ts";

/** The lines under an answer: who gave it, what it took, what it cost, and what the reader should know of it. */
export function summaryText(completion: Completion): string {
  const { model, providerModel, prompt, attempts, synthetic, truncation, citations, finishReason, callId } = completion;
  const { retrieval, unknownCitations } = completion;
  const served = providerModel === "" || providerModel === model ? model : `${model} (${providerModel})`;
  const lines = [
    [
      served + (synthetic ? ", no real model" : ""),
      ...(prompt === undefined ? [] : [`${prompt.name} ${prompt.version}`]),
      cacheText(completion),
      plural(attempts.length, "attempt"),
    ].join(" · "),
    [usageText(completion), costText(completion)].join(" · "),
    ...(finishReason === FinishReason.LENGTH ? ["the answer is cut: it ran into its number of output tokens"] : []),
    ...(truncation === undefined
      ? []
      : [
          `shortened to fit: ${truncation.tokensBefore} to ${truncation.tokensAfter} tokens, ` +
            `${plural(truncation.droppedChunkIds.length, "chunk")} and ${plural(truncation.droppedTurns, "turn")} dropped`,
        ]),
    ...(retrieval === undefined ? [] : [retrievalText(retrieval)]),
    ...citationLines(citations),
    ...(unknownCitations.length > 0 ? [`cites what it did not see: ${unknownCitations.join(", ")}`] : []),
    `call id ${callId}`,
  ];
  return lines.join("\n");
}

function retrievalText({ collection, chunks, failedWith }: Retrieval): string {
  if (failedWith !== "") return `nothing was retrieved from ${collection}: ${failedWith}`;
  return `drew on ${plural(chunks.length, "chunk")} of ${collection}`;
}

/** Chunks of the caller's own on one line; of what was retrieved a line each, with what it takes to find the place. */
function citationLines(citations: readonly Citation[]): string[] {
  const own = citations.filter(({ documentId }) => documentId === "").map(({ chunkId }) => chunkId);
  const retrieved = citations.filter(({ documentId }) => documentId !== "");
  return [...(own.length > 0 ? [`cites ${own.join(", ")}`] : []), ...retrieved.map(citationText)];
}

function citationText({ chunkId, title, startOffsetBytes, endOffsetBytes, score }: Citation): string {
  const named = title === "" ? chunkId : `${chunkId}, ${title}`;
  const similarity = score === undefined ? "" : `, similarity ${score.toFixed(3)}`;
  return `cites ${named}: bytes ${startOffsetBytes} to ${endOffsetBytes}${similarity}`;
}

/** What a person who saw deltas must know when they become void. */
export function restartText({ cause, model }: Restarted): string {
  const causes: Readonly<Partial<Record<RestartCause, string>>> = {
    [RestartCause.RETRY]: "the answer broke off",
    [RestartCause.FALLBACK]: "the answer broke off, and another model is asked",
    [RestartCause.REPAIR]: "the value was taken out of the text around it",
    [RestartCause.OUTPUT_LIMIT]: "the answer was cut and is asked for with more room",
  };
  return `restarted by ${model}: ${causes[cause] ?? "it is made anew"}; what was shown so far is void`;
}

function usageText({ usage }: Completion): string {
  if (usage === undefined) return "no tokens";
  const cached = usage.cachedPromptTokens > 0n ? ` (${usage.cachedPromptTokens} cached)` : "";
  const reasoning = usage.reasoningTokens > 0n ? ` (${usage.reasoningTokens} reasoning)` : "";
  const estimated = usage.estimated ? ", estimated" : "";
  return `${usage.promptTokens} prompt${cached} + ${usage.completionTokens} completion${reasoning} tokens${estimated}`;
}

function costText({ costNanoUsd, savedNanoUsd }: Completion): string {
  const cost = costNanoUsd === undefined ? "cost unknown" : `cost ${formatNanoUsd(costNanoUsd)}`;
  return savedNanoUsd === undefined ? cost : `${cost}, saved ${formatNanoUsd(savedNanoUsd)}`;
}

function cacheText({ cacheStatus }: Completion): string {
  const texts: Readonly<Partial<Record<CacheStatus, string>>> = {
    [CacheStatus.MISS]: "cache miss",
    [CacheStatus.MEMORY_HIT]: "memory hit",
    [CacheStatus.SHARED_HIT]: "shared hit",
    [CacheStatus.JOINED]: "joined a call in flight",
    [CacheStatus.BYPASSED]: "cache bypassed",
    [CacheStatus.REPLAYED]: "replayed, same idempotency key",
  };
  return texts[cacheStatus] ?? "cache unknown";
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
