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
/** Before all messages. */
const START = "0-0";

/**
 * Hands on the fields of every message in the stream of invalidations, each once and in their order, from now on until
 * `close`. It has its own connection, since it waits on it; when that is lost it connects again, at most every 50 ms to
 * 2 s, and goes on behind the last message that it saw.
 */
export function readInvalidations(options: {
  url: string;
  log: Log;
  clock: Clock;
  onMessage: (fields: readonly string[]) => void;
}): { close(): Promise<void> } {
  const { url, log, clock, onMessage } = options;
  const closing = new AbortController();
  let lastId: string | undefined;
  let failures = 0;

  async function read(redis: Redis): Promise<never> {
    let id = await whereToStart(redis, lastId, log);
    lastId = id;
    for (;;) {
      const streams = await redis.xread("COUNT", MESSAGES_AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", INVALIDATIONS, id);
      if (failures > 0) log.info("cache_invalidations_ready");
      failures = 0;
      for (const [messageId, fields] of streams?.[0]?.[1] ?? []) {
        id = messageId;
        lastId = id;
        onMessage(fields);
      }
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
 * The id behind which to read. Where the last message seen is no longer in the stream, Redis lost its data or removed
 * the oldest messages, and some may be missed. Memory is kept all the same: it would be emptied in all processes at once,
 * just when Redis has nothing either, and every call would be paid again. What is missed lives at most for its TTL.
 * Reading goes on with all that the stream has now: messages that were seen before do no harm.
 */
async function whereToStart(redis: Redis, lastId: string | undefined, log: Log): Promise<string> {
  if (lastId === undefined) {
    const [newest] = await redis.xrevrange(INVALIDATIONS, "+", "-", "COUNT", 1);
    return newest?.[0] ?? START;
  }
  if (lastId === START || (await redis.xrange(INVALIDATIONS, lastId, lastId)).length > 0) return lastId;
  log.warn("cache_invalidations_missed");
  return START;
}
