import { Redis, ReplyError } from "ioredis";
import type { SharedCompletionCache } from "../core/cache.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { createBreaker } from "./redis-cache/breaker.ts";
import { decodeEntry, encodeEntry, MAX_ENTRY_BYTES } from "./redis-cache/entry.ts";

/** Operations that may wait for Redis at once; more are misses. */
const MAX_IN_FLIGHT = 1_024;

/** A connection on which nothing arrives for this long while something is awaited is closed, with all that waits on it. */
const SOCKET_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MAX_MS = 2_000;

/** An outcome other than the reply. */
const TIMED_OUT = Symbol("timed out");

export interface RedisCacheOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. Never logged. */
  readonly url: string;
  /** What one operation may take; a slower one is a miss. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * The completion cache that processes share. It connects in the background and again whenever the connection is lost.
 * Nothing about Redis ever fails a call: absent, slow, full, or holding damaged or foreign values, it is a miss, and a
 * value that could not be stored is not stored. `close` waits for operations under way, at most `timeoutMs`.
 * @throws RangeError for a `timeoutMs` that is not above 0.
 */
export function createRedisCache(options: RedisCacheOptions): SharedCompletionCache & { close(): Promise<void> } {
  const { timeoutMs, log, clock } = options;
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, got ${timeoutMs}`);
  const redis = connect(options);
  const breaker = createBreaker(clock, (open) => log.warn(open ? "redis_breaker_open" : "redis_breaker_closed"));
  let inFlight = 0;

  /** The reply, or `undefined` where there is none in time. */
  async function ask<T>(operation: string, send: () => Promise<T>): Promise<T | undefined> {
    if (redis.status !== "ready" || inFlight >= MAX_IN_FLIGHT || !breaker.allows()) return undefined;
    inFlight++;
    // It counts until Redis replied or the connection is gone, whether or not somebody still waits for it.
    const reply = send().finally(() => inFlight--);
    try {
      const outcome = await within(reply, timeoutMs, clock);
      if (outcome === TIMED_OUT) {
        breaker.failed();
        return undefined;
      }
      breaker.succeeded();
      return outcome;
    } catch (error) {
      // An error reply (out of memory, read-only, wrong type) comes from a Redis that answers: reads may still hit.
      if (error instanceof ReplyError) breaker.succeeded();
      else breaker.failed();
      log.debug("redis_operation_failed", { operation, error });
      return undefined;
    }
  }

  /** GETRANGE bounds what a foreign value can make us read; an absent key is an empty reply. */
  const read = (key: string) => redis.getrangeBuffer(redisKey(key), 0, MAX_ENTRY_BYTES);

  return {
    async get(key) {
      const entry = await ask("get", () => read(key));
      return entry && decodeEntry(key, entry);
    },
    async getWithTtl(key) {
      // One round trip: auto-pipelining sends both together.
      const reply = await ask("get", () => Promise.all([read(key), redis.pttl(redisKey(key))]));
      const completion = reply && (await decodeEntry(key, reply[0]));
      return completion && reply[1] > 0 ? { completion, remainingMs: reply[1] } : undefined;
    },
    async set(key, completion, ttlMs) {
      if (!(ttlMs >= 1) || redis.status !== "ready") return;
      const entry = await encodeEntry(key, completion);
      if (entry) await ask("set", () => redis.set(redisKey(key), entry, "PX", Math.floor(ttlMs)));
    },
    async close() {
      if (redis.status === "ready") await within(redis.quit(), timeoutMs, clock).catch(() => TIMED_OUT);
      redis.disconnect();
    },
  };
}

/** The braces make a cluster place all that Sluice ever stores for one key in one slot. */
function redisKey(key: string): string {
  return `sluice:{${key}}`;
}

function connect({ url, log, clock }: RedisCacheOptions): Redis {
  const redis = new Redis(url, {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    connectionName: "sluice",
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS) * (0.5 + clock.random() / 2),
  });
  // Only changes are logged: while Redis is away, every try to connect is an error.
  let away = false;
  redis.on("ready", () => {
    away = false;
    log.info("redis_ready");
  });
  redis.on("error", (error: unknown) => {
    if (!away) log.warn("redis_unavailable", { error });
    away = true;
  });
  return redis;
}

/** The promise's outcome, or `TIMED_OUT`. The promise may go on; its later failure is nobody's concern. */
async function within<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T | typeof TIMED_OUT> {
  const timer = new AbortController();
  const timeout = clock.sleep(timeoutMs, timer.signal).then(
    (): typeof TIMED_OUT => TIMED_OUT,
    (): typeof TIMED_OUT => TIMED_OUT,
  );
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    timer.abort();
    promise.catch(() => {});
  }
}
