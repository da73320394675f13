import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";

/**
 * One layer of the completion cache. A stored completion is as it was answered: its `usage`, `cost_nano_usd` and
 * `attempts` say what it cost then. Layers never throw and never mutate what they hold: a failing layer is a miss.
 */
export interface CompletionCache {
  /** Keys are content keys (64 hex digits), which hold the tenant already. */
  get(key: string): Promise<Completion | undefined>;
  set(key: string, completion: Completion, ttlMs: number): Promise<void>;
}

/** The layer that processes share. */
export interface SharedCompletionCache extends CompletionCache {
  /** The completion with what is left of its life, so that a copy elsewhere does not outlive it. */
  getWithTtl(key: string): Promise<{ readonly completion: Completion; readonly remainingMs: number } | undefined>;
}
