import type { MemoryCache } from "../../src/core/cache.ts";

/** The same layer with some of its methods replaced. */
export function wrappedMemory(memory: MemoryCache, replaced: Partial<MemoryCache>): MemoryCache {
  return {
    get: (key) => memory.get(key),
    has: (key) => memory.has(key),
    set: (key, entry, ttlMs) => memory.set(key, entry, ttlMs),
    delete: (key) => memory.delete(key),
    purge: (filter) => memory.purge(filter),
    requests: memory.requests,
    stats: () => memory.stats(),
    ...replaced,
  };
}
