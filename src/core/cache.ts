import type { Completion, Retrieval } from "../../gen/sluice/v1/completion_pb.ts";

/** What an answer is stored with, so that it can be purged. */
export interface CacheTags {
  readonly tenant: string;
  /** Empty where messages were given. */
  readonly promptName: string;
  readonly promptVersion: string;
  /** Aliases: the one that was asked, and the one that answered. */
  readonly models: readonly string[];
}

/** An answer as it is kept. The completion is as it was answered: its usage, cost and attempts say what it cost then. */
export interface CacheEntry {
  readonly completion: Completion;
  readonly tags: CacheTags;
}

/** Which entries to purge: those that all given fields fit. Nothing given fits everything, of every tenant. */
export interface CacheFilter {
  readonly tenant?: string;
  readonly promptName?: string;
  /** Of `promptName`, which must be given with it. */
  readonly promptVersion?: string;
  /** An alias, as one that was asked or one that answered. */
  readonly model?: string;
}

export function fitsFilter(tags: CacheTags, filter: CacheFilter): boolean {
  const { tenant, promptName, promptVersion, model } = filter;
  return (
    (tenant === undefined || tags.tenant === tenant) &&
    (promptName === undefined || tags.promptName === promptName) &&
    (promptVersion === undefined || tags.promptVersion === promptVersion) &&
    (model === undefined || tags.models.includes(model))
  );
}

/** What other processes must forget. */
export type Invalidation =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "purge"; readonly filter: CacheFilter };

/** What was dropped from a request so that it fits, and under which content key its answer lies. */
export interface BuiltRequest {
  readonly contentKey: string;
  readonly dropped?: {
    readonly tokensBefore: number;
    readonly tokensAfter: number;
    readonly chunkIds: readonly string[];
    readonly turns: number;
  };
  /** What was retrieved for it and shown, without the texts; absent where nothing was asked for. */
  readonly retrieval?: Retrieval;
}

/**
 * The layer in this process. Keys are SHA-256 in lower-case hex, which hold the tenant already. Nothing here throws, and
 * nothing of what it holds is ever mutated.
 */
export interface MemoryCache {
  get(key: string): Promise<CacheEntry | undefined>;
  /** Whether `get` would find something. It counts as no look-up. */
  has(key: string): boolean;
  set(key: string, entry: CacheEntry, ttlMs: number): Promise<void>;
  delete(key: string): void;
  /** Forgets what fits, and says how many entries that were. */
  purge(filter: CacheFilter): number;
  /** What is known of requests that were built before, by their request keys. */
  readonly requests: {
    get(requestKey: string): BuiltRequest | undefined;
    set(requestKey: string, built: BuiltRequest): void;
  };
  stats(): CacheLayerStats;
}

/** What a look into the shared layer came to. Without an answer in time nothing is known. */
export type SharedLook =
  | {
      readonly kind: "hit";
      readonly entry: CacheEntry;
      /** What is left of its life. */
      readonly remainingMs: number;
    }
  | { readonly kind: "miss" }
  | { readonly kind: "unknown" };

/** The right to make the answer for a key, against all other processes. It renews itself until it is released. */
export interface FlightLease {
  /** Never rejects; does nothing where somebody else holds the lease by now. */
  release(): Promise<void>;
}

/** The layer that processes share. It never throws: a layer that is away, slow or full is `unknown`, or does nothing. */
export interface SharedCache {
  look(key: string): Promise<SharedLook>;
  /** Resolves to whether it is known to be stored. */
  set(key: string, entry: CacheEntry, ttlMs: number): Promise<boolean>;
  /** Resolves to whether it is known that nothing is stored any more. */
  delete(key: string): Promise<boolean>;
  /**
   * Tries to become the one who makes the answer, and looks once more for one in the same round trip.
   * `lease` is absent where somebody else has it ("taken"), or nobody can say ("unknown").
   */
  claim(
    key: string,
  ): Promise<
    | { readonly kind: "lease"; readonly lease: FlightLease; readonly found: SharedLook }
    | { readonly kind: "taken" }
    | { readonly kind: "unknown" }
  >;
  /**
   * How it stands with an answer that another process makes: how long its lease is still good (0: it is gone), and what
   * is stored. A lease is read before the answer, so where it is gone and the answer is missing, none was stored.
   */
  watch(key: string): Promise<{ readonly leaseMs: number; readonly found: SharedLook } | undefined>;
  /** Tells the other processes. Resolves to whether the store took it: then also those hear it that are away now. */
  announce(invalidation: Invalidation): Promise<boolean>;
  /** Called with what other processes announced. */
  onInvalidation(listener: (invalidation: Invalidation) => void): void;
  /**
   * Removes what fits, and says how many entries that were.
   * @throws CacheAwayError when the store went away before it was done; what was removed until then stays removed.
   */
  purge(filter: CacheFilter, signal: AbortSignal): Promise<number>;
  stats(): CacheLayerStats & { readonly isAway: boolean };
}

/** The shared layer cannot do what was asked of it. */
export class CacheAwayError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CacheAwayError";
  }
}

/** Counts since the start of the process. */
export interface CacheLayerStats {
  readonly hits: number;
  readonly misses: number;
  /** Look-ups without an answer in time, and those that were not made because the layer was known to be away. */
  readonly unknown: number;
  readonly stores: number;
  /** Answers that could not be stored: too large, or the layer was away, slow or full. */
  readonly unstored: number;
  /** Entries that went to make room. Of the shared layer: unknown here, its own store counts them. */
  readonly evictions?: number;
  /** Entries and bytes now. Of the shared layer: not known here. */
  readonly entries?: number;
  readonly bytes?: number;
  /** How long look-ups took, in milliseconds. */
  readonly lookUpMs: { readonly p50: number; readonly p99: number; readonly max: number };
}
