import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import type { SeenCall } from "./callers.ts";
import { type PricedRequest, priceRequest } from "./price-tag.ts";
import type { LoggedRequest } from "./upstream.ts";

/** What usage is grouped by here. A prompt's version comes with its name. */
export type Dimension =
  | "feature"
  | "user"
  | "model"
  | "prompt"
  | "prompt_version"
  | "tenant"
  | "day"
  | "hour"
  | "error_reason"
  | "cache_status";

export type Sums = Record<(typeof sumNames)[number], bigint>;

/** As `UsageSums` of the contract names them. */
export const sumNames = [
  "calls",
  "failedCalls",
  "memoryHits",
  "sharedHits",
  "joinedCalls",
  "replayedCalls",
  "savedNanoUsd",
  "unpricedHits",
  "attempts",
  "promptTokens",
  "cachedPromptTokens",
  "completionTokens",
  "reasoningTokens",
  "costNanoUsd",
  "unpricedAttempts",
  "estimatedAttempts",
] as const;

/** A call or a request, with what it is grouped by and what it adds. */
interface Fact {
  readonly keys: Readonly<Record<Dimension, string>>;
  readonly adds: Partial<Sums>;
}

/**
 * What the week came to by those who were there: requests from the provider's log, calls from what their callers were
 * told. Nothing of the service is asked.
 */
export class Recount {
  readonly #facts: readonly Fact[];
  /** What does not fit together before any sum is compared. */
  readonly contradictions: readonly string[];

  constructor(log: readonly LoggedRequest[], calls: readonly SeenCall[]) {
    const contradictions: string[] = [];
    const byId = new Map(calls.filter(({ callId }) => callId !== "").map((call) => [call.callId, call]));
    const left = calls.filter(({ callId }) => callId === "").map((call) => [call.planned.question.id, call] as const);
    const byQuestion = new Map(left);
    const paid = new Map<SeenCall, PricedRequest[]>();
    for (const request of log) {
      const call = byId.get(request.callId) ?? byQuestion.get(request.question);
      if (!call) contradictions.push(`nobody knows the call ${request.callId} that asked ${request.question}`);
      else paid.set(call, [...(paid.get(call) ?? []), priceRequest(request)]);
    }
    for (const [call, requests] of paid) contradictions.push(...toldOtherwise(call, requests));
    const savings = savingsOf(paid);
    this.contradictions = contradictions;
    this.#facts = calls.flatMap((call) => [
      callFact(call, savings.get(questionKey(call))),
      ...(paid.get(call) ?? []).map((request) => requestFact(call, request)),
    ]);
  }

  /** The sums by these dimensions; without any, the total. Keys are the values of the dimensions as a JSON array. */
  sumBy(dimensions: readonly Dimension[]): Map<string, Sums> {
    const groups = new Map<string, Sums>();
    for (const { keys, adds } of this.#facts) {
      const key = JSON.stringify(dimensions.map((dimension) => keys[dimension]));
      const sums = groups.get(key) ?? nothing();
      groups.set(key, sums);
      for (const name of sumNames) sums[name] += adds[name] ?? 0n;
    }
    return groups;
  }
}

function nothing(): Sums {
  return Object.fromEntries(sumNames.map((name) => [name, 0n])) as Sums;
}

/** What a caller was told its call cost, against the log. */
function toldOtherwise(call: SeenCall, requests: readonly PricedRequest[]): string[] {
  if (call.errorReason !== "") return [];
  const cost = costOf(requests);
  if (cost === call.costNanoUsd) return [];
  return [`the call ${call.callId} was told it cost ${call.costNanoUsd}, by the log it cost ${cost}`];
}

function costOf(requests: readonly PricedRequest[]): bigint | undefined {
  let sum = 0n;
  for (const { nanoUsd } of requests) {
    if (nanoUsd === undefined) return undefined;
    sum += nanoUsd;
  }
  return sum;
}

/** What stored answers may have cost, by question: more than one cost where another model had to answer. */
function savingsOf(paid: ReadonlyMap<SeenCall, readonly PricedRequest[]>): Map<string, Set<bigint | undefined>> {
  const savings = new Map<string, Set<bigint | undefined>>();
  for (const [call, requests] of paid) {
    if (call.errorReason !== "") continue;
    const costs = savings.get(questionKey(call)) ?? new Set();
    savings.set(questionKey(call), costs.add(costOf(requests)));
  }
  return savings;
}

function questionKey({ planned }: SeenCall): string {
  return `${planned.question.id} ${planned.model}`;
}

const hits: ReadonlySet<CacheStatus> = new Set([
  CacheStatus.MEMORY_HIT,
  CacheStatus.SHARED_HIT,
  CacheStatus.JOINED,
  CacheStatus.REPLAYED,
]);

function callFact(call: SeenCall, savings: ReadonlySet<bigint | undefined> = new Set()): Fact {
  const { status, errorReason, savedNanoUsd } = call;
  const is = (wanted: CacheStatus) => (status === wanted ? 1n : 0n);
  // Where an answer may have had several costs, what the caller was told says which of them it was.
  const saved = savings.has(savedNanoUsd) ? savedNanoUsd : [...savings][0];
  const isHit = hits.has(status);
  return {
    keys: keysOf(call, call.planned.model),
    adds: {
      calls: 1n,
      failedCalls: errorReason === "" ? 0n : 1n,
      memoryHits: is(CacheStatus.MEMORY_HIT),
      sharedHits: is(CacheStatus.SHARED_HIT),
      joinedCalls: is(CacheStatus.JOINED),
      replayedCalls: is(CacheStatus.REPLAYED),
      savedNanoUsd: isHit ? (saved ?? 0n) : 0n,
      unpricedHits: isHit && saved === undefined ? 1n : 0n,
    },
  };
}

function requestFact(call: SeenCall, { tokens, alias, isEstimated, nanoUsd }: PricedRequest): Fact {
  return {
    keys: keysOf(call, alias),
    adds: {
      attempts: 1n,
      promptTokens: BigInt(tokens.prompt),
      cachedPromptTokens: BigInt(tokens.cached),
      completionTokens: BigInt(tokens.completion),
      reasoningTokens: BigInt(tokens.reasoning),
      costNanoUsd: nanoUsd ?? 0n,
      unpricedAttempts: nanoUsd === undefined ? 1n : 0n,
      estimatedAttempts: isEstimated ? 1n : 0n,
    },
  };
}

const HOUR_MS = 3_600_000;

function keysOf({ planned, atMs, errorReason, status }: SeenCall, model: string): Fact["keys"] {
  const begin = (lengthMs: number) => new Date(Math.floor(atMs / lengthMs) * lengthMs).toISOString();
  const prompt = planned.promptVersion === "" ? "" : planned.feature.name;
  return {
    feature: planned.feature.name,
    user: planned.user,
    model,
    prompt,
    prompt_version: `${prompt} ${planned.promptVersion}`,
    tenant: planned.tenant.name,
    day: begin(24 * HOUR_MS),
    hour: begin(HOUR_MS),
    error_reason: errorReason,
    cache_status: String(status),
  };
}
