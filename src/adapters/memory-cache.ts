import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { LRUCache } from "lru-cache";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import type { CompletionCache } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";

/** What an entry takes beside its bytes: the key, the buffer object and the slots of the cache, rounded up. */
const ENTRY_OVERHEAD_BYTES = 512;

/** One completion may take at most this part of the cache, so that a few large ones do not push out everything else. */
const LARGEST_SHARE = 1 / 16;

/** Entries that were stored together must not all expire together: up to this part of the TTL is taken off. */
const TTL_JITTER = 0.1;

/**
 * The completion cache in this process, least recently used out first. Completions are kept as protobuf bytes: their
 * size is exact, and what a caller does to an answer never reaches the store.
 *
 * `maxBytes` bounds the sum of the entries, overhead included; at least 16 KiB. A completion larger than a sixteenth of
 * it, or with a TTL below 1 ms, is not stored. Entries live for 90 to 100 % of their TTL.
 * @throws RangeError for a `maxBytes` that is no integer of at least 16,384.
 */
export function createMemoryCache(options: { maxBytes: number; clock: Clock }): CompletionCache & { bytes(): number } {
  const { maxBytes, clock } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 16_384) {
    throw new RangeError(`maxBytes must be an integer of at least 16384, got ${maxBytes}`);
  }
  const entries = new LRUCache<string, Uint8Array>({
    maxSize: maxBytes,
    maxEntrySize: Math.floor(maxBytes * LARGEST_SHARE),
    sizeCalculation: (bytes) => bytes.byteLength + ENTRY_OVERHEAD_BYTES,
    // The library takes an entry that was stored at time 0 for one without a TTL.
    perf: { now: () => clock.monotonicMs() + 1 },
    // Ask the clock each time: anything else would remember the time by a timer of its own.
    ttlResolution: 0,
  });
  return {
    async get(key) {
      const bytes = entries.get(key);
      return bytes && fromBinary(CompletionSchema, bytes);
    },
    async set(key, completion, ttlMs) {
      if (!(ttlMs >= 1)) return;
      const ttl = Math.max(1, Math.floor(ttlMs * (1 - TTL_JITTER * clock.random())));
      entries.set(key, toBinary(CompletionSchema, completion), { ttl });
    },
    bytes: () => entries.calculatedSize,
  };
}
