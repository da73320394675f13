import { LRUCache } from "lru-cache";
import type { BuiltRequest, MemoryCache } from "../../core/cache.ts";

/** What one takes beside the ids of its chunks: two keys, its objects and the slots of the cache, rounded up. */
const OVERHEAD_BYTES = 512;
const CHUNK_ID_BYTES = 48;

/** What is known of requests that were built before, least recently used out first, bounded in bytes. */
export function createBuiltRequests(maxBytes: number): MemoryCache["requests"] & { bytes(): number; clear(): void } {
  const known = new LRUCache<string, BuiltRequest>({ maxSize: maxBytes, sizeCalculation: bytesOf });
  return {
    get: (requestKey) => known.get(requestKey),
    set(requestKey, built) {
      known.set(requestKey, built);
    },
    bytes: () => known.calculatedSize,
    clear: () => known.clear(),
  };
}

function bytesOf({ dropped, retrieval }: BuiltRequest): number {
  const ids = dropped?.chunkIds ?? [];
  const retrieved = retrieval ? 2 * JSON.stringify(retrieval, asText).length : 0;
  return ids.reduce((sum, id) => sum + CHUNK_ID_BYTES + 2 * id.length, OVERHEAD_BYTES + retrieved);
}

const asText = (_key: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);
