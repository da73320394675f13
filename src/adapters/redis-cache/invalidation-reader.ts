import type { Redis } from "ioredis";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { reconnectDelayMs, withConnection } from "./connect.ts";
import { INVALIDATIONS } from "./keys.ts";

/** How long Redis waits for messages before it answers that there are none. */
const BLOCK_MS = 5_000;
/** A connection that is mute for longer is dead. */
const SOCKET_TIMEOUT_MS = 2 * BLOCK_MS;
const MESSAGES_AT_ONCE = 100;
/**
 * Where it is not known which message was the last, this much more is read than by the clock would do, which may have
 * been set meanwhile. To hear a message again costs some entries of a memory that is young.
 */
const MARGIN_MS = 5_000;

/** How far the stream was read. */
interface Place {
  readonly id: string;
  /** Whether a message had this id, which must then still be there. */
  readonly isMessage: boolean;
}

/**
 * Hands on the fields of every message in the stream of invalidations, in their order, from now on until `close`; at
 * first also those of some seconds before. It has its own connection, since it waits on it; when that is lost it connects
 * again, at most every 50 ms to 2 s, and goes on behind the last message that it saw. Messages come once, unless Redis
 * lost some.
 */
export function readInvalidations(options: {
  url: string;
  log: Log;
  clock: Clock;
  onMessage: (fields: readonly string[]) => void;
}): { close(): Promise<void> } {
  const { url, log, clock, onMessage } = options;
  const closing = new AbortController();
  let place: Place | undefined;
  /** Everything that was announced until then is read. Before the beginning there was nothing to forget. */
  let readUntilMs = clock.monotonicMs();
  let failures = 0;

  async function read(redis: Redis): Promise<never> {
    place = await whereToStart(redis, place, { missedMs: clock.monotonicMs() - readUntilMs, log });
    let { id } = place;
    for (;;) {
      const streams = await redis.xread("COUNT", MESSAGES_AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", INVALIDATIONS, id);
      if (failures > 0) log.info("cache_invalidations_ready");
      failures = 0;
      const messages = streams?.[0]?.[1] ?? [];
      for (const [messageId, fields] of messages) {
        id = messageId;
        place = { id, isMessage: true };
        onMessage(fields);
      }
      // A full reply may not be the last.
      if (messages.length < MESSAGES_AT_ONCE) readUntilMs = clock.monotonicMs();
    }
  }

  async function run(): Promise<void> {
    const { signal } = closing;
    while (!signal.aborted) {
      try {
        await withConnection({ url, name: "sluice-reader", signal, socketTimeoutMs: SOCKET_TIMEOUT_MS }, read);
      } catch (error) {
        if (signal.aborted) return;
        // Only the first failure is logged: the rest of an outage looks the same.
        if (failures === 0) log.warn("cache_invalidations_unavailable", { error });
        failures++;
        await clock.sleep(reconnectDelayMs(failures, clock), signal).catch(() => {});
      }
    }
  }

  const done = run();
  return {
    close: async () => {
      closing.abort();
      await done;
    },
  };
}

/**
 * The id behind which to read. By the clock of Redis, which makes the ids, it is known about when the last message was
 * read. That is where the first reading begins, however late it connects: memory may hold what was purged meanwhile.
 *
 * Where the last message seen is no longer in the stream, Redis lost its data or removed the oldest messages, and some
 * may be missed. Memory is kept all the same: it would be emptied in all processes at once, just when Redis has nothing
 * either, and every call would be paid again. For the same reason an old message is not heard again, which may have
 * purged everything; new ones may have smaller ids than that which is gone, so recent ones are. What is missed lives at
 * most for its TTL.
 */
async function whereToStart(
  redis: Redis,
  place: Place | undefined,
  { missedMs, log }: { missedMs: number; log: Log },
): Promise<Place> {
  if (place?.isMessage && (await redis.xrange(INVALIDATIONS, place.id, place.id)).length > 0) return place;
  if (place?.isMessage) log.warn("cache_invalidations_missed");
  const recentMs = Math.max(0, Math.floor((await nowMs(redis)) - missedMs - MARGIN_MS));
  const isEarlier = place !== undefined && msOf(place.id) < recentMs;
  return { id: isEarlier ? place.id : `${recentMs}-0`, isMessage: false };
}

async function nowMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}

/** When a message was added. */
function msOf(id: string): number {
  return Number(id.split("-", 1)[0]);
}
