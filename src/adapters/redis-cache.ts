import type { Redis } from "ioredis";
import type { SharedCache, SharedLook } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { lifeMs } from "./cache-layers/life.ts";
import { createCounters } from "./redis-cache/counters.ts";
import { encodeEntry } from "./redis-cache/entry.ts";
import { createInvalidations } from "./redis-cache/invalidations.ts";
import { entryKey, leaseKey } from "./redis-cache/keys.ts";
import { createLeases } from "./redis-cache/leases.ts";
import { createOperations } from "./redis-cache/operations.ts";
import { purgeRedis } from "./redis-cache/purge.ts";
import { readAll, readFirst, toLook } from "./redis-cache/stored.ts";

/** How long a lease lives on after its holder died. */
const LEASE_MS = 3_000;

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
      const reply = await operations.ask("look", async (redis, reserve) => ({
        stored: await readAll(redis, key, await readFirst(redis, key), reserve),
      }));
      const look: SharedLook = reply ? await toLook(key, reply.stored, operations) : { kind: "unknown" };
      counters.looked(look.kind, isAsked ? clock.monotonicMs() - startMs : undefined);
      return look;
    },
    async set(key, entry, ttlMs) {
      if (!(ttlMs >= 1)) return false;
      const bytes = operations.wouldAsk() ? await encodeEntry(key, entry) : undefined;
      const life = lifeMs(ttlMs, clock);
      const send = (redis: Redis, value: Buffer) => redis.set(entryKey(key), value, "PX", life);
      const isStored = !!bytes && !!(await operations.ask("set", (redis) => send(redis, bytes), bytes.byteLength));
      counters.stored(isStored);
      return isStored;
    },
    async delete(key) {
      const removed = await operations.ask("delete", (redis) => redis.unlink(entryKey(key)));
      return removed !== undefined;
    },
    async claim(key) {
      const token = leases.newToken();
      // A claim without a reply in time may have been made. It is not renewed, and others wait for it in vain, briefly.
      const reply = await operations.ask("claim", async (redis, reserve) => {
        const taking = redis.set(leaseKey(key), token, "PX", leaseMs, "NX");
        const [taken, first] = await Promise.all([taking, readFirst(redis, key)]);
        return taken === null ? "taken" : { stored: await readAll(redis, key, first, reserve) };
      });
      if (!reply) return { kind: "unknown" };
      if (reply === "taken") return { kind: "taken" };
      return { kind: "lease", lease: leases.hold(key, token), found: await toLook(key, reply.stored, operations) };
    },
    async watch(key) {
      const reply = await operations.ask("watch", async (redis, reserve) => {
        const [lease, first] = await Promise.all([redis.pttl(leaseKey(key)), readFirst(redis, key)]);
        return { lease, stored: await readAll(redis, key, first, reserve) };
      });
      if (!reply) return undefined;
      // No process makes a lease without an end, or with one so far away: nobody would renew it or give it up.
      const isForeign = reply.lease === -1 || reply.lease > leaseMs;
      if (isForeign) void operations.ask("end lease", (redis) => redis.pexpire(leaseKey(key), leaseMs));
      const found = await toLook(key, reply.stored, operations);
      // What is stored but cannot be read now must not look like a leader that stored nothing.
      if (found.kind === "unknown") return undefined;
      return { leaseMs: isForeign ? leaseMs : Math.max(0, reply.lease), found };
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
