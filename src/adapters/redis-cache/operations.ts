import type { Redis } from "ioredis";
import { after, type Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { createBreaker } from "./breaker.ts";
import { connectForCommands, endNow } from "./connect.ts";
import { isReplyError } from "./reply-error.ts";

/** Operations that may wait for Redis at once; no more are sent. */
const MAX_IN_FLIGHT = 1_024;
/** What the values to be stored, and the large ones that are read, may take together while they wait. */
const MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024;

/** The parts in which a budget is waited for. */
const SLICES = 4;

/** An outcome other than the reply. */
const TIMED_OUT = Symbol("timed out");

/** Makes room for a value to be read, until the operation has its reply; `false` where there is none. */
export type Reserve = (bytes: number) => boolean;

/** Everything that goes to Redis while calls wait for it. Nothing here throws. */
export interface Operations {
  /**
   * The reply, or `undefined` where there is none within the budget, where it is an error, and where nothing was sent:
   * not connected, the breaker open, too much under way (`bytes`: what is sent, where it may be much). Commands that
   * `send` issues without waiting in between go in one round trip, in their order. An operation without a reply in time
   * may have been carried out all the same.
   */
  ask<T>(
    operation: string,
    send: (redis: Redis, reserve: Reserve) => Promise<T>,
    bytes?: number,
  ): Promise<T | undefined>;
  /** Does `work` while what was read counts as bytes under way. */
  hold<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /** Whether `ask` would send anything now. */
  wouldAsk(): boolean;
  /** Whether Redis is not connected, or did not answer lately. */
  isAway(): boolean;
  /** Ends the connection, after at most the budget of an operation. */
  close(): Promise<void>;
}

export function createOperations(options: { url: string; timeoutMs: number; log: Log; clock: Clock }): Operations {
  const { url, timeoutMs, log, clock } = options;
  const redis = connectForCommands(url, options);
  const breaker = createBreaker(clock, (open) => log.warn(open ? "redis_breaker_open" : "redis_breaker_closed"));
  let inFlight = 0;
  let bytesInFlight = 0;

  const hasRoom = () => redis.status === "ready" && inFlight < MAX_IN_FLIGHT && bytesInFlight < MAX_BYTES_IN_FLIGHT;

  return {
    async ask(operation, send, bytes = 0) {
      if (!hasRoom() || !breaker.allows()) return undefined;
      let ownBytes = bytes;
      const reserve: Reserve = (more) => {
        if (bytesInFlight + more > MAX_BYTES_IN_FLIGHT) return false;
        ownBytes += more;
        bytesInFlight += more;
        return true;
      };
      inFlight++;
      bytesInFlight += bytes;
      // It counts until Redis replied or the connection is gone, whether or not somebody still waits for it.
      const reply = send(redis, reserve).finally(() => {
        inFlight--;
        bytesInFlight -= ownBytes;
      });
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
        // A connection that is lost says nothing: it costs no time, and nothing is sent until there is another.
        if (isReplyError(error)) breaker.succeeded();
        log.debug("redis_operation_failed", { operation, error });
        return undefined;
      }
    },
    async hold(bytes, work) {
      bytesInFlight += bytes;
      try {
        return await work();
      } finally {
        bytesInFlight -= bytes;
      }
    },
    wouldAsk: () => hasRoom() && breaker.wouldAllow(),
    isAway: () => redis.status !== "ready" || breaker.isOpen(),
    async close() {
      if (redis.status === "ready") await within(redis.quit(), timeoutMs, clock).catch(() => TIMED_OUT);
      endNow(redis);
    },
  };
}

/**
 * The promise's outcome, or `TIMED_OUT`. The promise may go on; its later failure is nobody's concern. The time is
 * waited in slices: between two of them sockets are written and read, so that a moment in which this process was busy
 * counts as one slice at most, and is not taken for a slow Redis.
 */
function within<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T | typeof TIMED_OUT> {
  return new Promise((resolve, reject) => {
    let callOff = () => {};
    const wait = (slices: number) => {
      callOff = after(clock, timeoutMs / SLICES, () =>
        slices > 1 ? wait(slices - 1) : void setImmediate(() => resolve(TIMED_OUT)),
      );
    };
    wait(SLICES);
    promise.then(resolve, reject).finally(() => callOff());
  });
}
