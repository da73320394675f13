import { CacheStatus, type Completion, FinishReason } from "../../gen/sluice/v1/completion_pb.ts";
import { RestartCause, type Restarted } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { formatNanoUsd } from "../core/money.ts";

/** The lines under an answer: who gave it, what it took, what it cost, and what the reader should know of it. */
export function summaryText(completion: Completion): string {
  const { model, providerModel, prompt, attempts, synthetic, truncation, citations, finishReason, callId } = completion;
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
    ...(citations.length > 0 ? [`cites ${citations.map(({ chunkId }) => chunkId).join(", ")}`] : []),
    `call id ${callId}`,
  ];
  return lines.join("\n");
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
