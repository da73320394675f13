import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Invalidation, SharedCache } from "../../core/cache.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { withConnection } from "./connect.ts";
import {
  decodeInvalidation,
  encodeInvalidation,
  MAX_MESSAGE_CHARACTERS,
  MESSAGE_FIELD,
} from "./invalidation-message.ts";
import { readInvalidations } from "./invalidation-reader.ts";
import { INVALIDATIONS } from "./keys.ts";
import type { Operations } from "./operations.ts";

/** How far behind a reader may be, about; some 2 MB in Redis. */
const MAX_MESSAGES = 10_000;
/** What each step of announcing a purge may take, as those of the purge itself. */
const PURGE_TIMEOUT_MS = 2_000;

export type Invalidations = Pick<SharedCache, "announce" | "onInvalidation"> & { close(): Promise<void> };

/**
 * What processes tell each other, through a stream in Redis: unlike what is published, a message waits there for a
 * process that is not connected just then. Reading begins with the first listener.
 *
 * That of a key is announced within the budget of an operation, since a call waits for it. That of a purge has a
 * connection of its own and more time: what it should remove would else be answered where it is not heard.
 */
export function createInvalidations(
  options: { url: string; log: Log; clock: Clock },
  operations: Operations,
): Invalidations {
  const sender = randomUUID();
  const listeners: ((invalidation: Invalidation) => void)[] = [];
  let reader: { close(): Promise<void> } | undefined;
  const closing = new AbortController();

  function onMessage(fields: readonly string[]): void {
    const message = decodeInvalidation(fields);
    if (!message || message.sender === sender) return;
    for (const listener of listeners) {
      try {
        listener(message.invalidation);
      } catch (error) {
        options.log.error("cache_invalidation_failed", { error });
      }
    }
  }

  async function announcePurge(message: string): Promise<boolean> {
    const { url, log } = options;
    const { signal } = closing;
    try {
      const connection = { url, name: "sluice-announce", signal, socketTimeoutMs: PURGE_TIMEOUT_MS };
      await withConnection(connection, (redis) => add(redis, message));
      return true;
    } catch (error) {
      log.debug("redis_operation_failed", { operation: "announce", error });
      return false;
    }
  }

  return {
    async announce(invalidation) {
      const message = encodeInvalidation(sender, invalidation);
      // Nobody would read it.
      if (message.length > MAX_MESSAGE_CHARACTERS) return false;
      if (invalidation.kind === "purge") return announcePurge(message);
      return (await operations.ask("announce", (redis) => add(redis, message))) !== undefined;
    },
    onInvalidation(listener) {
      listeners.push(listener);
      if (!closing.signal.aborted) reader ??= readInvalidations({ ...options, onMessage });
    },
    async close() {
      closing.abort();
      await reader?.close();
    },
  };
}

function add(redis: Redis, message: string): Promise<string | null> {
  return redis.xadd(INVALIDATIONS, "MAXLEN", "~", MAX_MESSAGES, "*", MESSAGE_FIELD, message);
}
