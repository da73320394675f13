import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import { lifeMs } from "./cache-layers/life.ts";

/** What an entry takes beside its numbers: the key, the objects around the buffer and the slots it fills, rounded up. */
const ENTRY_OVERHEAD_BYTES = 640;

/** One vector of 16,000 numbers, the most that are stored, fits. */
const MIN_BYTES = 65_536;

/** The layer of a vector cache in this process. Nothing here throws, and no vector that it gives may be changed. */
export interface MemoryVectors {
  get(key: string): Float32Array | undefined;
  /** Keeps a copy, so that a vector which is a part of a larger buffer does not keep all of that. */
  set(key: string, vector: Float32Array, ttlMs: number): void;
  stats(): { readonly entries: number; readonly bytes: number };
}

interface Stored {
  readonly vector: Float32Array;
  /** By the clock that only goes forward. */
  readonly expiresAtMs: number;
}

/**
 * Vectors in this process, least recently used out first. `maxBytes` bounds all that it holds, overhead included. Entries
 * live for 90 to 100 % of their TTL; one with a TTL below 1 ms is ignored, as is one that alone is too large.
 * @throws RangeError for a `maxBytes` that is no integer of at least 65,536.
 */
export function createMemoryVectors({ maxBytes, clock }: { maxBytes: number; clock: Clock }): MemoryVectors {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < MIN_BYTES) {
    throw new RangeError(`maxBytes must be an integer of at least ${MIN_BYTES}, got ${maxBytes}`);
  }
  const entries = new LRUCache<string, Stored>({
    maxSize: maxBytes,
    sizeCalculation: ({ vector }) => vector.byteLength + ENTRY_OVERHEAD_BYTES,
  });
  return {
    get(key) {
      const stored = entries.get(key);
      if (stored && clock.monotonicMs() <= stored.expiresAtMs) return stored.vector;
      if (stored) entries.delete(key);
      return undefined;
    },
    set(key, vector, ttlMs) {
      if (!(ttlMs >= 1)) return;
      entries.set(key, { vector: vector.slice(), expiresAtMs: clock.monotonicMs() + lifeMs(ttlMs, clock) });
    },
    stats: () => ({ entries: entries.size, bytes: entries.calculatedSize }),
  };
}

/** Holds nothing: every look-up is a miss. */
export function noMemoryVectors(): MemoryVectors {
  return { get: () => undefined, set() {}, stats: () => ({ entries: 0, bytes: 0 }) };
}
