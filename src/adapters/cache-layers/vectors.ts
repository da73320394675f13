import type { CachedVector, VectorCache } from "../../core/embedding.ts";
import type { MemoryVectors } from "../memory-vectors.ts";
import type { SharedVectors } from "../redis-vectors.ts";

/**
 * Memory first, then the shared layer for what is not there; what is found there is kept in memory for what is left of
 * its life. Only memory is waited for when vectors are stored.
 */
export function layeredVectors(memory: MemoryVectors, shared?: Pick<SharedVectors, "get" | "set">): VectorCache {
  return {
    async get(keys, { deadline }) {
      const found: (CachedVector | undefined)[] = keys.map((key) => {
        const vector = memory.get(key);
        return vector && { vector, layer: "memory" };
      });
      const missing = keys.flatMap((key, index) => (found[index] ? [] : [{ key, index }]));
      if (!shared || missing.length === 0 || deadline.remainingMs() <= 0) return found;
      const looked = await shared.get(missing.map(({ key }) => key));
      for (const [at, { key, index }] of missing.entries()) {
        const hit = looked[at];
        if (!hit) continue;
        memory.set(key, hit.vector, hit.remainingMs);
        found[index] = { vector: hit.vector, layer: "shared" };
      }
      return found;
    },
    set(entries, ttlMs) {
      for (const { key, vector } of entries) memory.set(key, vector, ttlMs);
      void shared?.set(entries, ttlMs);
    },
  };
}
