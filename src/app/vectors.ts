import { layeredVectors } from "../adapters/cache-layers/vectors.ts";
import { createMemoryVectors, noMemoryVectors } from "../adapters/memory-vectors.ts";
import { createRedisVectors } from "../adapters/redis-vectors.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { VectorCache } from "../core/embedding.ts";
import type { Log } from "../core/log.ts";

const MEBIBYTE = 1024 * 1024;

/** The part of `cache.memory_mb` that is for vectors; answers have the rest. */
export const VECTORS_SHARE = 1 / 4;

/** A round trip brings up to 256 vectors, some megabytes, where one of an answer brings kilobytes. */
const REDIS_PATIENCE = 4;

/** The cache of vectors: memory always, Redis where it is configured. */
export function openVectors(
  config: Config,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): VectorCache {
  const { memory_mb, redis_timeout_ms } = config.cache;
  const maxBytes = Math.floor(memory_mb * MEBIBYTE * VECTORS_SHARE);
  const memory = memory_mb > 0 ? createMemoryVectors({ maxBytes, clock: ports.clock }) : noMemoryVectors();
  if (config.redis_url === undefined) return layeredVectors(memory);
  const shared = createRedisVectors({ url: config.redis_url, timeoutMs: redis_timeout_ms * REDIS_PATIENCE, ...ports });
  stack.defer(() => shared.close());
  return layeredVectors(memory, shared);
}
