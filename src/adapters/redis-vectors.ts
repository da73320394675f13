import type { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { lifeMs } from "./cache-layers/life.ts";
import { createOperations } from "./redis-cache/operations.ts";
import { isReplyError } from "./redis-cache/reply-error.ts";
import { decodeVector, encodeVector, MAX_ENTRY_BYTES } from "./redis-vectors/entry.ts";

/** Keys of one round trip: some megabytes with the largest models. */
const KEYS_AT_ONCE = 256;
/** What a vector that is read is counted as until it is here. */
const USUAL_ENTRY_BYTES = 8_192;

/** The layer of a vector cache that processes share. Nothing here throws. */
export interface SharedVectors {
  /** In the order of the keys; undefined where there is none, and for all that Redis did not answer in time. */
  get(keys: readonly string[]): Promise<readonly (SharedVector | undefined)[]>;
  /** Resolves when Redis has answered, or its time is over; nobody has to wait for it. */
  set(entries: readonly { readonly key: string; readonly vector: Float32Array }[], ttlMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface SharedVector {
  readonly vector: Float32Array;
  /** What is left of its life. */
  readonly remainingMs: number;
}

export interface RedisVectorsOptions {
  /** As of the cache of answers. Never logged. */
  readonly url: string;
  /** What one round trip, of up to 256 vectors, may take; a slower one is given up. */
  readonly timeoutMs: number;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Vectors in Redis, over a connection of their own, so that large replies do not hold up answers. Redis that is away,
 * slow, full or read-only means misses; so do damaged and foreign values. Entries live for 90 to 100 % of their TTL.
 * @throws RangeError for a `timeoutMs` that is not above 0.
 */
export function createRedisVectors(options: RedisVectorsOptions): SharedVectors {
  const { timeoutMs, clock } = options;
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, got ${timeoutMs}`);
  const operations = createOperations(options);

  return {
    async get(keys) {
      const found: (SharedVector | undefined)[] = [];
      for (const some of inGroups(keys)) {
        const send = (redis: Redis) => Promise.all(some.map((key) => read(redis, key)));
        const replies = await operations.ask("get vectors", send, some.length * USUAL_ENTRY_BYTES);
        // One that did not answer is not waited for again and again.
        if (!replies) break;
        found.push(...replies);
      }
      return keys.map((_, index) => found[index]);
    },
    async set(entries, ttlMs) {
      if (!(ttlMs >= 1)) return;
      for (const some of inGroups(entries)) {
        if (!operations.wouldAsk()) return;
        const values = some.flatMap(({ key, vector }) => {
          const bytes = encodeVector(key, vector);
          return bytes ? [{ name: vectorName(key), bytes, life: lifeMs(ttlMs, clock) }] : [];
        });
        const size = values.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
        const send = (redis: Redis) =>
          Promise.all(values.map(({ name, bytes, life }) => redis.set(name, bytes, "PX", life)));
        if (!(await operations.ask("set vectors", send, size))) return;
      }
    },
    close: operations.close,
  };
}

/** No entry of the cache of answers has such a name, so a look through those does not meet vectors. */
export function vectorName(key: string): string {
  return `sluice:vector:{${key}}`;
}

async function read(redis: Redis, key: string): Promise<SharedVector | undefined> {
  const name = vectorName(key);
  try {
    // A value of ours ends before that; of a larger one no more is read.
    const [bytes, remainingMs] = await Promise.all([redis.getrangeBuffer(name, 0, MAX_ENTRY_BYTES), redis.pttl(name)]);
    const vector = remainingMs > 0 ? decodeVector(key, bytes) : undefined;
    return vector && { vector, remainingMs };
  } catch (error) {
    if (isReplyError(error, "WRONGTYPE")) return undefined;
    throw error;
  }
}

function* inGroups<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += KEYS_AT_ONCE) yield items.slice(at, at + KEYS_AT_ONCE);
}
