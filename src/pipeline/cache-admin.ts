import { CacheAwayError, type CacheFilter, type Invalidation } from "../core/cache.ts";
import type { CacheAdmin } from "../core/cache-admin.ts";
import { SluiceError } from "../core/failure.ts";
import type { CachePorts } from "./cache.ts";
import type { Flights } from "./flight.ts";

/** How long whoever purges is asked to wait while the shared layer is away. */
const RETRY_MS = 1000;

interface AdminPorts {
  readonly cache: CachePorts;
  readonly flights: Pick<Flights<unknown>, "closeAll">;
}

/** The cache as operators see it. */
export function createCacheAdmin(ports: AdminPorts): CacheAdmin {
  return {
    async purge(filter, signal) {
      try {
        return await purge(ports, filter, signal);
      } catch (error) {
        if (!(error instanceof CacheAwayError)) throw error;
        const away = { reason: "STORE_UNAVAILABLE", resource: "redis", limit: 0, retryAfterMs: RETRY_MS } as const;
        throw new SluiceError(away, { cause: error });
      }
    },
    stats() {
      const { memory, shared, tally } = ports.cache;
      const { joined, taken, takenOver, savedNanoUsd } = tally;
      return {
        memory: memory.stats(),
        shared: shared?.stats(),
        flights: { joined, taken, takenOver },
        savedNanoUsd,
      };
    },
  };
}

/** Forgets in this process what was invalidated, here or elsewhere. Returns how many entries that were in memory. */
function forget({ cache, flights }: AdminPorts, invalidation: Invalidation): number {
  cache.invalidations.add(invalidation);
  // An answer that is being made is from before: those who have waited for it get it, nobody else does.
  if (invalidation.kind === "purge") flights.closeAll();
  if (invalidation.kind === "purge") return cache.memory.purge(invalidation.filter);
  cache.memory.delete(invalidation.key);
  return 0;
}

/** What another process announced. The news may have been on its way while an answer was stored behind its back. */
export function hear(ports: AdminPorts, invalidation: Invalidation): void {
  forget(ports, invalidation);
  if (invalidation.kind !== "purge") return;
  const { invalidations, shared } = ports.cache;
  for (const key of invalidations.storedLately(invalidation.filter)) void shared?.delete(key);
}

/**
 * Purges every layer. The other processes are told twice: before, so that answers which are being made are not stored
 * behind the purge's back; and after, for what was read into memory until the shared layer was through.
 * @throws CacheAwayError where the shared layer, or the news to the others, failed: whoever purges must do it again.
 */
async function purge(ports: AdminPorts, filter: CacheFilter, signal: AbortSignal) {
  const invalidation: Invalidation = { kind: "purge", filter };
  const memory = forget(ports, invalidation);
  const { shared } = ports.cache;
  if (!shared) return { memory };
  // A full store may take the news only when there is room again.
  await shared.announce(invalidation);
  const removed = await shared.purge(filter, signal);
  forget(ports, invalidation);
  if (!(await shared.announce(invalidation))) throw new CacheAwayError("the other processes could not be told");
  return { memory, shared: removed };
}
