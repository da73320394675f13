import type { Redis } from "ioredis";
import type { SharedCache, SharedLook } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { createCounters } from "./redis-cache/counters.ts";
import { decodeEntry, encodeEntry, MAX_ENTRY_BYTES } from "./redis-cache/entry.ts";
import { createInvalidations } from "./redis-cache/invalidations.ts";
import { entryKey, leaseKey } from "./redis-cache/keys.ts";
import { createLeases } from "./redis-cache/leases.ts";
import { createOperations } from "./redis-cache/operations.ts";
import { purgeRedis } from "./redis-cache/purge.ts";
import { isReplyError } from "./redis-cache/reply-error.ts";

/** How long a lease lives on after its holder died. */
const LEASE_MS = 3_000;
/** Entries that were stored together must not all expire together: up to this part of the TTL is taken off. */
const TTL_JITTER = 0.1;

export interface RedisCacheOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. Never logged. */
  readonly url: string;
  /** What one operation may take; a slower one is given up. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly clock: Clock;
  /** How long a lease lives on without renewal. Default 3,000. */
  readonly leaseMs?: number;
}

/** What Redis has under an entry's key. */
interface Stored {
  readonly bytes: Buffer;
  readonly remainingMs: number;
}

/**
 * The cache that processes share. It connects in the background and again whenever the connection is lost. Nothing about
 * Redis ever fails a call or costs it more than `timeoutMs`: absent, slow, full or read-only, it is `unknown`; damaged
 * and foreign values are misses. `close` gives back the leases that are held, and waits for Redis only briefly.
 * @throws RangeError for a `timeoutMs` or `leaseMs` that is not above 0.
 */
export function createRedisCache(options: RedisCacheOptions): SharedCache & { close(): Promise<void> } {
  const { url, timeoutMs, log, clock, leaseMs = LEASE_MS } = options;
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, got ${timeoutMs}`);
  if (!(leaseMs > 0)) throw new RangeError(`leaseMs must be above 0, got ${leaseMs}`);
  const operations = createOperations(options);
  const leases = createLeases(operations, { leaseMs, log });
  const counters = createCounters();
  const invalidations = createInvalidations(options, operations);

  return {
    async look(key) {
      const isAsked = operations.wouldAsk();
      const startMs = clock.monotonicMs();
      const reply = await operations.ask("look", async (redis) => [await read(redis, key)]);
      const look: SharedLook = reply ? await toLook(key, reply[0]) : { kind: "unknown" };
      counters.looked(look.kind, isAsked ? clock.monotonicMs() - startMs : undefined);
      return look;
    },
    async set(key, entry, ttlMs) {
      if (!(ttlMs >= 1)) return;
      const lifeMs = Math.max(1, Math.floor(ttlMs * (1 - TTL_JITTER * clock.random())));
      const bytes = operations.wouldAsk() ? await encodeEntry(key, entry) : undefined;
      const send = (redis: Redis, value: Buffer) => redis.set(entryKey(key), value, "PX", lifeMs);
      counters.stored(!!bytes && !!(await operations.ask("set", (redis) => send(redis, bytes), bytes.byteLength)));
    },
    async claim(key) {
      const token = leases.newToken();
      // A claim without a reply in time may have been made. It is not renewed, and others wait for it in vain, briefly.
      const reply = await operations.ask("claim", (redis) =>
        Promise.all([redis.set(leaseKey(key), token, "PX", leaseMs, "NX"), read(redis, key)]),
      );
      if (!reply) return { kind: "unknown" };
      if (reply[0] === null) return { kind: "taken" };
      return { kind: "lease", lease: leases.hold(key, token), found: await toLook(key, reply[1]) };
    },
    async watch(key) {
      const reply = await operations.ask("watch", (redis) =>
        Promise.all([redis.pttl(leaseKey(key)), read(redis, key)]),
      );
      if (!reply) return undefined;
      // No lease is made without an end, and one without would never be given up.
      if (reply[0] === -1) void operations.ask("end lease", (redis) => redis.pexpire(leaseKey(key), leaseMs));
      return { leaseMs: reply[0] === -1 ? leaseMs : Math.max(0, reply[0]), found: await toLook(key, reply[1]) };
    },
    announce: invalidations.announce,
    onInvalidation: invalidations.onInvalidation,
    purge: (filter, signal) => purgeRedis({ url, filter, signal }),
    stats: () => ({ ...counters.stats(), isAway: operations.isAway() }),
    async close() {
      await Promise.all([invalidations.close(), leases.close().then(operations.close)]);
    },
  };
}

/** What is stored for a key, in one round trip. GETRANGE bounds what a foreign value can make us read. */
async function read(redis: Redis, key: string): Promise<Stored | undefined> {
  const name = entryKey(key);
  try {
    const [bytes, remainingMs] = await Promise.all([redis.getrangeBuffer(name, 0, MAX_ENTRY_BYTES), redis.pttl(name)]);
    return { bytes, remainingMs };
  } catch (error) {
    if (isReplyError(error, "WRONGTYPE")) return undefined;
    throw error;
  }
}

/** An absent key is an empty reply; an entry without an end is none of ours. */
async function toLook(key: string, stored: Stored | undefined): Promise<SharedLook> {
  const entry = stored && stored.remainingMs > 0 ? await decodeEntry(key, stored.bytes) : undefined;
  return stored && entry ? { kind: "hit", entry, remainingMs: stored.remainingMs } : { kind: "miss" };
}
