import { CacheMode, type CacheOptions } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import type { CompletionCache } from "../core/cache.ts";

/** The layers, asked in order. */
export interface CachePorts {
  readonly memory: CompletionCache;
  /** Shared by all processes; absent without Redis. */
  readonly shared?: CompletionCache;
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

/** Memory first, then the shared layer; what was found there is kept in memory too. */
export async function lookUp(ports: CachePorts, key: string): Promise<CacheHit | undefined> {
  const hot = await ports.memory.get(key);
  if (hot) return { completion: hot, status: CacheStatus.MEMORY_HIT };
  const warm = await ports.shared?.get(key);
  if (!warm) return undefined;
  await ports.memory.set(key, warm, ports.defaultTtlMs);
  return { completion: warm, status: CacheStatus.SHARED_HIT };
}

/** Stores an answer in every layer. The caller has made sure that it is a good one. */
export async function store(ports: CachePorts, key: string, completion: Completion, ttlMs: number): Promise<void> {
  await Promise.all([ports.memory.set(key, completion, ttlMs), ports.shared?.set(key, completion, ttlMs)]);
}
