import { CacheMode, type CacheOptions } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import type { CompletionCache, SharedCompletionCache } from "../core/cache.ts";

/** The layers, asked in order. */
export interface CachePorts {
  readonly memory: CompletionCache;
  /** Shared by all processes; absent without Redis. */
  readonly shared?: SharedCompletionCache;
  /** For requests that do not say. */
  readonly defaultTtlMs: number;
}

/** What a request wants of the cache. */
export interface CachePolicy {
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
  /** Whether it may take part in an identical call that is under way. */
  readonly mayJoin: boolean;
  readonly onlyIfCached: boolean;
  readonly ttlMs: number;
}

export function cachePolicy(options: CacheOptions | undefined, defaultTtlMs: number): CachePolicy {
  const mode = options?.mode ?? CacheMode.UNSPECIFIED;
  const usual = mode !== CacheMode.BYPASS && mode !== CacheMode.REFRESH;
  return {
    mayRead: usual,
    mayJoin: usual,
    mayWrite: mode !== CacheMode.BYPASS,
    onlyIfCached: mode === CacheMode.ONLY_IF_CACHED,
    ttlMs: options?.ttlSeconds === undefined ? defaultTtlMs : options.ttlSeconds * 1000,
  };
}

export interface CacheHit {
  readonly completion: Completion;
  readonly status: typeof CacheStatus.MEMORY_HIT | typeof CacheStatus.SHARED_HIT;
}

/**
 * Memory first, then the shared layer; what is found there is kept in memory for what is left of its life.
 * `inFlight` is asked in the same moment as memory: an answer is in memory before its flight ends, so an identical call
 * is found in the one or the other, and never paid for a second time.
 */
export async function lookUp<Flight>(
  ports: CachePorts,
  key: string,
  inFlight: () => Flight | undefined,
): Promise<CacheHit | { readonly flight: Flight } | undefined> {
  const near = await lookNear(ports.memory, key, inFlight);
  if (near || !ports.shared) return near;
  const warm = await ports.shared.getWithTtl(key);
  if (!warm) return lookNear(ports.memory, key, inFlight);
  await ports.memory.set(key, warm.completion, warm.remainingMs);
  return { completion: warm.completion, status: CacheStatus.SHARED_HIT };
}

async function lookNear<Flight>(memory: CompletionCache, key: string, inFlight: () => Flight | undefined) {
  const flight = inFlight();
  const hot = await memory.get(key);
  if (hot) return { completion: hot, status: CacheStatus.MEMORY_HIT } as const;
  return flight && { flight };
}

/**
 * Stores an answer in every layer. The caller has made sure that it is a good one. Only memory is waited for: the shared
 * layer may be slow, and never fails.
 */
export async function store(ports: CachePorts, key: string, completion: Completion, ttlMs: number): Promise<void> {
  void ports.shared?.set(key, completion, ttlMs);
  await ports.memory.set(key, completion, ttlMs);
}
