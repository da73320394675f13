import type { SpooledRecord } from "../../../src/adapters/spool/record.ts";
import type { AttemptFinished, AttemptStarted, CallFinished } from "../../../src/core/ledger.ts";
import type { UsageDimension, UsageSums } from "../../../src/core/usage.ts";
import { pick, seeded } from "../../pipeline/parse/random.ts";
import { attemptStarted, callFinished, endOf } from "../spool/records.ts";

export const HOUR_MS = 3_600_000;
export const START_MS = Date.parse("2026-03-01T00:00:00Z");

/** One call with its attempts; some never end, some have no start that arrived. */
export interface MadeCall {
  readonly atMs: number;
  readonly call?: CallFinished;
  readonly attempts: readonly { readonly start?: AttemptStarted; readonly end?: AttemptFinished }[];
  readonly records: readonly SpooledRecord[];
}

/** Calls of a few days with everything that sums must get right. The same seed makes the same, ids apart. */
export function makeCalls(count: number, seed: number, tenants: readonly [string, ...string[]] = ["acme"]): MadeCall[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => makeCall(random, tenants));
}

function makeCall(random: () => number, tenants: readonly [string, ...string[]]): MadeCall {
  const below = (size: number) => Math.floor(random() * size);
  // Every other one shares its millisecond with some.
  const anyMs = below(72 * HOUR_MS);
  const atMs = START_MS + (random() < 0.5 ? anyMs : Math.floor(anyMs / (9 * HOUR_MS)) * 9 * HOUR_MS);
  const prompt = pick(random, ["", "summarize", "extract"]);
  const shared = {
    call_id: idAt(atMs, random),
    tenant: pick(random, tenants),
    feature: pick(random, ["", "support", "search", "söarch"]),
    user: `u-${below(6)}`,
    method: pick(random, ["Complete", "StreamComplete"]),
    prompt_name: prompt,
    prompt_version: prompt === "" ? "" : pick(random, ["v1", "v2"]),
    synthetic: random() < 0.2,
    started_at: new Date(atMs + 2).toISOString(),
  };
  const asked = pick(random, ["fast", "smart"]);
  const attempts = Array.from({ length: below(4) }, (_, index) => makeAttempt(random, shared, asked, index + 1));
  const isHit = attempts.length === 0;
  const call = callFinished(undefined, {
    ...shared,
    model: asked,
    attempts: attempts.length,
    cache_status: isHit ? pick(random, ["memory_hit", "shared_hit", "joined", "replayed", ""]) : "miss",
    saved_nano_usd: random() < 0.3 ? null : String(below(1e9)),
    latency_ms: Math.floor(Math.exp(random() * 13)) - 1,
    error_reason: random() < 0.2 ? pick(random, ["MODEL_TIMEOUT", "RATE_LIMITED"]) : "",
  });
  const isFinished = isHit || random() < 0.9;
  const parts = attempts.flatMap(({ start, end }) => [
    ...(start ? [start] : []),
    ...(end ? [{ ...end, tenant: shared.tenant }] : []),
  ]);
  return { atMs, attempts, ...(isFinished && { call }), records: [...parts, ...(isFinished ? [call] : [])] };
}

type Shared = Partial<AttemptStarted> & { readonly call_id: string };

function makeAttempt(random: () => number, shared: Shared, asked: string, attempt: number) {
  const below = (size: number) => Math.floor(random() * size);
  const model = random() < 0.8 ? asked : "other";
  const start = attemptStarted({ ...shared, attempt, model });
  const end = endOf(start, {
    prompt_tokens: below(5000),
    cached_prompt_tokens: below(100),
    completion_tokens: below(900),
    reasoning_tokens: below(50),
    usage_estimated: random() < 0.2,
    // Beyond what a double holds, now and then.
    cost_nano_usd: random() < 0.15 ? null : random() < 0.05 ? "9007199254740993" : String(below(1e8)),
  });
  const lot = random();
  return { ...(lot >= 0.05 && { start }), ...((lot < 0.05 || lot >= 0.12) && { end }) };
}

/** A UUID of version 7. */
export function idAt(atMs: number, random: () => number): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  const time = atMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
}

/** A row of the ledger as it counts for a sum. */
export interface Counted {
  readonly key: Readonly<Record<UsageDimension, string | number>>;
  readonly synthetic: boolean;
  readonly sums: Partial<Record<keyof Omit<UsageSums, "latency">, bigint>>;
  readonly latencyMs?: number;
}

/** What the rules of the contract say of each call and attempt, without a database. */
export function countedRows(calls: readonly MadeCall[]): Counted[] {
  return calls.flatMap((made) => [
    ...(made.call ? [countedCall(made.atMs, made.call)] : []),
    ...made.attempts.flatMap((attempt) => countedAttempt(made, attempt)),
  ]);
}

function timesOf(atMs: number) {
  const hour = Math.floor(atMs / HOUR_MS) * HOUR_MS;
  return { hour, day: Math.floor(atMs / (24 * HOUR_MS)) * 24 * HOUR_MS };
}

function countedCall(atMs: number, call: CallFinished): Counted {
  const when = (condition: boolean) => (condition ? 1n : 0n);
  const isUnpaid = ["memory_hit", "shared_hit", "joined", "replayed"].includes(call.cache_status);
  return {
    key: {
      ...timesOf(atMs),
      tenant: call.tenant,
      feature: call.feature,
      user: call.user,
      model: call.model,
      prompt: call.prompt_name,
      prompt_version: call.prompt_version,
      error_reason: call.error_reason,
      cache_status: call.cache_status,
    },
    synthetic: call.synthetic,
    sums: {
      calls: 1n,
      failedCalls: when(call.error_reason !== ""),
      memoryHits: when(call.cache_status === "memory_hit"),
      sharedHits: when(call.cache_status === "shared_hit"),
      joinedCalls: when(call.cache_status === "joined"),
      replayedCalls: when(call.cache_status === "replayed"),
      savedNanoUsd: BigInt(call.saved_nano_usd ?? 0),
      unpricedHits: when(isUnpaid && call.saved_nano_usd === null),
    },
    latencyMs: call.latency_ms,
  };
}

function countedAttempt({ atMs, call, records }: MadeCall, { start, end }: MadeCall["attempts"][number]): Counted[] {
  if (!end) return [];
  return [
    {
      key: {
        ...timesOf(atMs),
        tenant: records[0]?.tenant ?? "",
        feature: start?.feature ?? "",
        user: start?.user ?? "",
        model: start?.model ?? "",
        prompt: start?.prompt_name ?? "",
        prompt_version: start?.prompt_version ?? "",
        error_reason: call ? call.error_reason : "OUTCOME_UNKNOWN",
        cache_status: call?.cache_status ?? "",
      },
      synthetic: start?.synthetic ?? false,
      sums: {
        attempts: 1n,
        promptTokens: BigInt(end.prompt_tokens),
        cachedPromptTokens: BigInt(end.cached_prompt_tokens),
        completionTokens: BigInt(end.completion_tokens),
        reasoningTokens: BigInt(end.reasoning_tokens),
        costNanoUsd: BigInt(end.cost_nano_usd ?? 0),
        unpricedAttempts: end.cost_nano_usd === null ? 1n : 0n,
        estimatedAttempts: end.usage_estimated ? 1n : 0n,
      },
    },
  ];
}
