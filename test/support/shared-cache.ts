import { clone, create } from "@bufbuild/protobuf";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import type { CacheEntry, Invalidation, SharedCache, SharedLook } from "../../src/core/cache.ts";
import type { Clock } from "../../src/core/clock.ts";

const noLookUps = { p50: 0, p99: 0, max: 0 };

/** An entry of tenant `acme`. */
export function entryOf(text: string, tags: Partial<CacheEntry["tags"]> = {}): CacheEntry {
  return {
    completion: create(CompletionSchema, { text, model: "fast", costNanoUsd: 7n }),
    tags: { tenant: "acme", promptName: "", promptVersion: "", models: ["fast"], ...tags },
  };
}

/** What is shared by processes, without a store between them. */
export class SharedStore {
  readonly entries = new Map<string, CacheEntry>();
  /** Until when an entry lives, by the clock; those without a time live on. */
  readonly #endsMs = new Map<string, number>();
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** Runs before every operation. */
  readonly #delay: () => Promise<void>;
  /** Holder by key; how long its lease is still good is said by `leaseMs`. */
  readonly leases = new Map<string, symbol>();
  readonly #listeners = new Set<(from: symbol, invalidation: Invalidation) => void>();
  leaseMs = 3000;
  isAway = false;
  released = 0;

  constructor(clock: Pick<Clock, "monotonicMs"> = { monotonicMs: () => 0 }, delay = async () => {}) {
    this.#clock = clock;
    this.#delay = delay;
  }

  #look(key: string): SharedLook {
    if (this.isAway) return { kind: "unknown" };
    const entry = this.entries.get(key);
    const remainingMs = (this.#endsMs.get(key) ?? Number.POSITIVE_INFINITY) - this.#clock.monotonicMs();
    if (!entry || remainingMs <= 0) return { kind: "miss" };
    const completion = clone(CompletionSchema, entry.completion);
    return { kind: "hit", entry: { ...entry, completion }, remainingMs: Math.min(remainingMs, 10_000) };
  }

  /** The store as one process sees it; every method may be replaced. */
  process(replaced: Partial<SharedCache> = {}): SharedCache {
    const self = Symbol("process");
    const look = (key: string) => this.#look(key);
    return {
      look: async (key) => {
        await this.#delay();
        return look(key);
      },
      set: async (key, entry, ttlMs) => {
        await this.#delay();
        if (this.isAway) return false;
        this.entries.set(key, { ...entry, completion: clone(CompletionSchema, entry.completion) });
        this.#endsMs.set(key, this.#clock.monotonicMs() + ttlMs);
        return true;
      },
      delete: async (key) => {
        await this.#delay();
        if (this.isAway) return false;
        this.entries.delete(key);
        this.#endsMs.delete(key);
        return true;
      },
      claim: async (key) => {
        await this.#delay();
        if (this.isAway) return { kind: "unknown" };
        if (this.leases.has(key)) return { kind: "taken" };
        const token = Symbol(key);
        this.leases.set(key, token);
        const release = async () => {
          this.released += 1;
          if (this.leases.get(key) === token) this.leases.delete(key);
        };
        return { kind: "lease", lease: { release }, found: look(key) };
      },
      watch: async (key) => {
        await this.#delay();
        return this.isAway ? undefined : { leaseMs: this.leases.has(key) ? this.leaseMs : 0, found: look(key) };
      },
      announce: async (invalidation) => {
        if (this.isAway) return false;
        for (const listener of this.#listeners) listener(self, invalidation);
        return true;
      },
      onInvalidation: (listener) =>
        void this.#listeners.add((from, invalidation) => {
          if (from !== self) listener(invalidation);
        }),
      purge: async () => 0,
      stats: () => ({ hits: 0, misses: 0, unknown: 0, stores: 0, unstored: 0, lookUpMs: noLookUps, isAway: false }),
      ...replaced,
    };
  }
}
