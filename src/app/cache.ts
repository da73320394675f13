import { createMemoryCache, noMemoryCache } from "../adapters/memory-cache.ts";
import { createRedisCache } from "../adapters/redis-cache.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { AnswerEvent } from "../pipeline/answer.ts";
import type { CachePorts } from "../pipeline/cache.ts";
import { hear } from "../pipeline/cache-admin.ts";
import { CacheTally } from "../pipeline/cache-tally.ts";
import type { Flights } from "../pipeline/flight.ts";
import { Invalidations } from "../pipeline/invalidations.ts";
import { VECTORS_SHARE } from "./vectors.ts";

const MEBIBYTE = 1024 * 1024;

/** The layers of the cache: memory always, Redis where it is configured. */
export function openCache(
  config: Config,
  flights: Flights<AnswerEvent>,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): CachePorts {
  const { memory_mb, ttl_seconds, redis_timeout_ms } = config.cache;
  const maxBytes = Math.floor(memory_mb * MEBIBYTE * (1 - VECTORS_SHARE));
  const near = {
    memory: memory_mb > 0 ? createMemoryCache({ maxBytes, clock: ports.clock }) : noMemoryCache(),
    invalidations: new Invalidations(ports.clock),
    tally: new CacheTally(),
    defaultTtlMs: ttl_seconds * 1000,
  };
  if (config.redis_url === undefined) return near;
  const shared = createRedisCache({ url: config.redis_url, timeoutMs: redis_timeout_ms, ...ports });
  stack.defer(() => shared.close());
  const cache = { ...near, shared };
  shared.onInvalidation((invalidation) => hear({ cache, flights }, invalidation));
  return cache;
}
