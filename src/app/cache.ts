import { createMemoryCache } from "../adapters/memory-cache.ts";
import { createRedisCache } from "../adapters/redis-cache.ts";
import type { Config } from "../config.ts";
import type { CompletionCache } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { CachePorts } from "../pipeline/cache.ts";

const MEBIBYTE = 1024 * 1024;

/** The layers of the cache: memory always, Redis where it is configured. */
export function openCache(
  config: Config,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): CachePorts {
  const { memory_mb, ttl_seconds, redis_timeout_ms } = config.cache;
  const memory = memory_mb > 0 ? createMemoryCache({ maxBytes: memory_mb * MEBIBYTE, clock: ports.clock }) : noCache;
  const defaultTtlMs = ttl_seconds * 1000;
  if (config.redis_url === undefined) return { memory, defaultTtlMs };
  const shared = createRedisCache({ url: config.redis_url, timeoutMs: redis_timeout_ms, ...ports });
  stack.defer(() => shared.close());
  return { memory, shared, defaultTtlMs };
}

/** `memory_mb: 0`: every look-up is a miss. */
const noCache: CompletionCache = { get: async () => undefined, set: async () => {} };
