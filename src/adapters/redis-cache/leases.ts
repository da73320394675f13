import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { FlightLease } from "../../core/cache.ts";
import type { Log } from "../../core/log.ts";
import { leaseKey } from "./keys.ts";
import type { Operations } from "./operations.ts";
import { isReplyError } from "./reply-error.ts";

/** Leases that one operation renews or releases. */
const BATCH = 256;

/** One that is gone is taken back: it ran out while Redis did not answer, or Redis lost it. */
const RENEW = `local holder = redis.call("GET", KEYS[1])
if holder == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
if holder then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1`;
const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;

interface Held {
  readonly key: string;
  readonly token: string;
}

export interface Leases {
  /** A value that no other lease, of this process or another, ever has. */
  newToken(): string;
  /** Renews the lease that was just taken for `key` with `token`, until it is released or lost. */
  hold(key: string, token: string): FlightLease;
  /** Stops all renewals and gives back what is held, as far as Redis answers. */
  close(): Promise<void>;
}

/**
 * Keeps leases alive: all that are held are renewed together every third of `leaseMs`, so a lease outlives two renewals
 * that got no answer. One that is gone is taken back, so that a restart of Redis leaves no answer to be made twice; those
 * that turn out to be somebody else's are lost: a line per round says how many.
 */
export function createLeases(operations: Operations, { leaseMs, log }: { leaseMs: number; log: Log }): Leases {
  const held = new Set<Held>();
  const process = randomUUID();
  let made = 0;
  let timer: NodeJS.Timeout | undefined;
  let renewing = false;
  let isClosed = false;

  async function renewAll(): Promise<void> {
    if (renewing) return;
    renewing = true;
    let lost = 0;
    for (const due of batches([...held])) {
      const leases = due.filter((lease) => held.has(lease));
      // No answer is no loss: the next round asks again.
      const replies = await operations.ask("renew", (redis) => evalEach(redis, RENEW, leases, leaseMs));
      for (const [index, lease] of leases.entries()) if (replies?.[index] === 0 && forget(lease)) lost++;
    }
    renewing = false;
    if (lost > 0) log.warn("cache_lease_lost", { leases: lost });
  }

  /** Whether it was held until now. */
  function forget(lease: Held): boolean {
    const was = held.delete(lease);
    if (held.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    return was;
  }

  return {
    newToken: () => `${process}:${made++}`,
    hold(key, token) {
      const lease = { key, token };
      // The reply to a claim may come after the end.
      if (!isClosed) held.add(lease);
      if (!isClosed) timer ??= setInterval(() => void renewAll(), leaseMs / 3).unref();
      return {
        async release() {
          if (forget(lease)) await operations.ask("release", (redis) => evalEach(redis, RELEASE, [lease]));
        },
      };
    },
    async close() {
      isClosed = true;
      const rest = [...held];
      for (const lease of rest) forget(lease);
      for (const leases of batches(rest)) {
        await operations.ask("release", (redis) => evalEach(redis, RELEASE, leases));
      }
    },
  };
}

/** The reply for each lease, in their order; `undefined` where it is an error. The script goes along: it is short. */
function evalEach(redis: Redis, script: string, leases: readonly Held[], ...rest: number[]): Promise<unknown[]> {
  const replies = leases.map(({ key, token }) => redis.eval(script, 1, leaseKey(key), token, ...rest));
  return Promise.all(replies.map((reply) => reply.catch(errorReplyIsNone)));
}

function errorReplyIsNone(error: unknown): undefined {
  if (!isReplyError(error)) throw error;
}

function* batches<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH);
}
