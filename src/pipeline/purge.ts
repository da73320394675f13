import type { CacheFilter, Invalidation } from "../core/cache.ts";
import type { CacheAdmin } from "../core/cache-admin.ts";
import type { CachePorts } from "./cache.ts";

/** The cache as operators see it. */
export function createCacheAdmin(ports: CachePorts): CacheAdmin {
  return {
    purge: (filter, signal) => purge(ports, filter, signal),
    stats() {
      const { joined, taken, takenOver, savedNanoUsd } = ports.tally;
      return {
        memory: ports.memory.stats(),
        shared: ports.shared?.stats(),
        flights: { joined, taken, takenOver },
        savedNanoUsd,
      };
    },
  };
}

/** Forgets in this process what was invalidated, here or elsewhere. Returns how many entries that were in memory. */
export function forget({ memory, invalidations }: CachePorts, invalidation: Invalidation): number {
  invalidations.add(invalidation);
  if (invalidation.kind === "purge") return memory.purge(invalidation.filter);
  memory.delete(invalidation.key);
  return 0;
}

/**
 * Purges every layer. The other processes are told twice: before, so that answers which are being made are not stored
 * behind the purge's back; and after, for what was read into memory until the shared layer was through.
 */
async function purge(ports: CachePorts, filter: CacheFilter, signal: AbortSignal) {
  const invalidation: Invalidation = { kind: "purge", filter };
  const memory = forget(ports, invalidation);
  if (!ports.shared) return { memory };
  await ports.shared.announce(invalidation);
  const shared = await ports.shared.purge(filter, signal);
  forget(ports, invalidation);
  await ports.shared.announce(invalidation);
  return { memory, shared };
}
