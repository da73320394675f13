import { CacheMode, type CacheOptions } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import type { CacheEntry, MemoryCache, SharedCache } from "../core/cache.ts";
import type { CacheTally } from "./cache-tally.ts";
import type { Invalidations } from "./invalidations.ts";

/** The layers, asked in order. */
export interface CachePorts {
  readonly memory: MemoryCache;
  /** Shared by all processes; absent without Redis. */
  readonly shared?: SharedCache;
  /** What this process and the others invalidated. */
  readonly invalidations: Invalidations;
  readonly tally: CacheTally;
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
  readonly entry: CacheEntry;
  readonly status: typeof CacheStatus.MEMORY_HIT | typeof CacheStatus.SHARED_HIT;
}

/** Nothing is stored. Whether the shared layer said so, or did not answer. */
export interface CacheMiss {
  readonly sharedAnswers: boolean;
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
): Promise<CacheHit | { readonly flight: Flight } | CacheMiss> {
  const near = await lookNear(ports.memory, key, inFlight);
  if (near) return near;
  if (!ports.shared) return { sharedAnswers: false };
  const { count } = ports.invalidations;
  const look = await ports.shared.look(key);
  if (look.kind !== "hit")
    return (await lookNear(ports.memory, key, inFlight)) ?? { sharedAnswers: look.kind === "miss" };
  await keepNear(ports, key, look, count);
  return { entry: look.entry, status: CacheStatus.SHARED_HIT };
}

async function lookNear<Flight>(memory: MemoryCache, key: string, inFlight: () => Flight | undefined) {
  const flight = inFlight();
  const entry = await memory.get(key);
  if (entry) return { entry, status: CacheStatus.MEMORY_HIT } as const;
  return flight && { flight };
}

/**
 * Keeps in memory what the shared layer holds.
 * @param count of the invalidations when it was asked for: what was read before one may be what was invalidated.
 */
export async function keepNear(
  { memory, invalidations }: CachePorts,
  key: string,
  { entry, remainingMs }: { readonly entry: CacheEntry; readonly remainingMs: number },
  count: number,
): Promise<void> {
  if (count === invalidations.count) await memory.set(key, entry, remainingMs);
}

/**
 * Stores an answer in every layer. The caller has made sure that it is a good one. Only memory is waited for: the shared
 * layer may be slow, and never fails. Resolves to what says when that is done.
 * @param since count of the invalidations when the answer's making began.
 */
export async function store(
  ports: CachePorts,
  key: string,
  entry: CacheEntry,
  { ttlMs, since, isRefresh }: { readonly ttlMs: number; readonly since: number; readonly isRefresh: boolean },
): Promise<{ readonly shared: Promise<void> }> {
  const { memory, shared, invalidations } = ports;
  if (invalidations.purgedSince(since, entry.tags)) return { shared: Promise.resolve() };
  await memory.set(key, entry, ttlMs);
  return { shared: shared ? storeShared(shared, key, entry, { ttlMs, isRefresh }) : Promise.resolve() };
}

/** A refreshed answer is another one: the copies in the memory of other processes go when it is there to replace them. */
async function storeShared(
  shared: SharedCache,
  key: string,
  entry: CacheEntry,
  { ttlMs, isRefresh }: { readonly ttlMs: number; readonly isRefresh: boolean },
): Promise<void> {
  await shared.set(key, entry, ttlMs);
  if (isRefresh) await shared.announce({ kind: "key", key });
}
