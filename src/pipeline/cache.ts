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

/** Where the answer may not be what the request would get another time. */
export function withoutCache(policy: CachePolicy): CachePolicy {
  return { ...policy, mayRead: false, mayWrite: false, mayJoin: false };
}

export interface CacheHit {
  readonly entry: CacheEntry;
  readonly status: typeof CacheStatus.MEMORY_HIT | typeof CacheStatus.SHARED_HIT;
}

/** Nothing is stored. */
export interface CacheMiss {
  /** Whether the shared layer said so; one that did not answer is not asked who else makes the answer. */
  readonly sharedIsUp: boolean;
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
  if (!ports.shared) return { sharedIsUp: false };
  const { count } = ports.invalidations;
  const look = await ports.shared.look(key);
  if (look.kind === "hit") {
    await keepNear(ports, key, look, count);
    return { entry: look.entry, status: CacheStatus.SHARED_HIT };
  }
  // It may have been made here meanwhile.
  const made = ports.memory.has(key) || inFlight() ? await lookNear(ports.memory, key, inFlight) : undefined;
  return made ?? { sharedIsUp: look.kind === "miss" };
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

/** How an answer is stored. */
export interface StorePlan {
  readonly ttlMs: number;
  /** Count of the invalidations when the answer's making began. */
  readonly since: number;
  /** Whether it replaces another one. */
  readonly isRefresh: boolean;
}

/**
 * Stores an answer in every layer. The caller has made sure that it is a good one. Only memory is waited for: the shared
 * layer may be slow, and never fails. Resolves to what says when that is done.
 */
export async function store(
  ports: CachePorts,
  key: string,
  entry: CacheEntry,
  plan: StorePlan,
): Promise<{ readonly shared: Promise<void> }> {
  const { memory, shared, invalidations } = ports;
  if (invalidations.isStale(key, entry.tags, plan.since)) return { shared: Promise.resolve() };
  if (plan.isRefresh) invalidations.add({ kind: "key", key });
  await memory.set(key, entry, plan.ttlMs);
  return { shared: shared ? storeShared(shared, invalidations, key, entry, plan) : Promise.resolve() };
}

async function storeShared(
  shared: SharedCache,
  invalidations: Invalidations,
  key: string,
  entry: CacheEntry,
  { ttlMs, since, isRefresh }: StorePlan,
): Promise<void> {
  invalidations.storing(key, entry.tags);
  const isStored = await shared.set(key, entry, ttlMs);
  // A purge that came meanwhile may have passed this key by before it was there.
  if (invalidations.purgedSince(since, entry.tags)) await shared.delete(key);
  if (!isRefresh) return;
  // What could not be replaced must not come back.
  if (!isStored) await shared.delete(key);
  // The copies in the memory of other processes go when there is something to replace them.
  await shared.announce({ kind: "key", key });
}
