import { answerTo } from "./answers.ts";
import type { TrafficCall } from "./traffic.ts";

/** The best that any cache can do for these calls: every distinct question is paid once for each life of its answer. */
export interface Possible {
  readonly calls: number;
  readonly hits: number;
  readonly savedNanoUsd: number;
  readonly costNanoUsd: number;
}

/**
 * Found from the list of calls alone, as if every answer were there at once and lived for exactly its TTL.
 * Calls are in the order they come; `ttlMs` is in their time.
 */
export function possible(
  calls: readonly Pick<TrafficCall, "atMs" | "feature" | "question" | "mode">[],
  ttlMs: (call: Pick<TrafficCall, "feature">) => number,
): Possible {
  const goodUntil = new Map<string, number>();
  const found = { calls: 0, hits: 0, savedNanoUsd: 0, costNanoUsd: 0 };
  for (const call of calls) {
    const { costNanoUsd } = answerTo(call.question, call.feature);
    const isHit = call.mode === "default" && call.atMs < (goodUntil.get(call.question) ?? Number.NEGATIVE_INFINITY);
    found.calls += 1;
    if (isHit) {
      found.hits += 1;
      found.savedNanoUsd += costNanoUsd;
      continue;
    }
    found.costNanoUsd += costNanoUsd;
    if (call.mode !== "bypass") goodUntil.set(call.question, call.atMs + ttlMs(call));
  }
  return found;
}
