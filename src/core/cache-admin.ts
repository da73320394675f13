import type { CacheFilter, CacheLayerStats } from "./cache.ts";

/** How many entries were purged. */
export interface PurgedEntries {
  /** In the memory of this process. */
  readonly memory: number;
  /** In the shared layer. Absent where there is none. */
  readonly shared?: number | undefined;
}

/** What the cache did since the start of the process. */
export interface CacheStats {
  readonly memory: CacheLayerStats;
  /** Absent where there is no shared layer. */
  readonly shared?: (CacheLayerStats & { readonly isAway: boolean }) | undefined;
  readonly flights: {
    /** Calls that joined an identical one in this process. */
    readonly joined: number;
    /** Answers that were taken from an identical call in another process. */
    readonly taken: number;
    /** Answers that were made anew because the process that was making them went away. */
    readonly takenOver: number;
  };
  /** What the answers cost that were given without paying for them, where it is known. */
  readonly savedNanoUsd: bigint;
}

/** The cache as operators see it: all layers, all tenants. */
export interface CacheAdmin {
  /**
   * Removes what fits from every layer, and has the other processes forget it.
   * @throws SluiceError STORE_UNAVAILABLE when the shared layer went away before it was done; what was removed until then stays
   * removed. The signal's reason.
   */
  purge(filter: CacheFilter, signal: AbortSignal): Promise<PurgedEntries>;
  stats(): CacheStats;
}
