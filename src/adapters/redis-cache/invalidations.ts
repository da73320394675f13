import { randomUUID } from "node:crypto";
import type { Invalidation, SharedCache } from "../../core/cache.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { decodeInvalidation, encodeInvalidation, MESSAGE_FIELD } from "./invalidation-message.ts";
import { readInvalidations } from "./invalidation-reader.ts";
import { INVALIDATIONS } from "./keys.ts";
import type { Operations } from "./operations.ts";

/** How far behind a reader may be, about; some 2 MB in Redis. */
const MAX_MESSAGES = 10_000;

export type Invalidations = Pick<SharedCache, "announce" | "onInvalidation"> & { close(): Promise<void> };

/**
 * What processes tell each other, through a stream in Redis: unlike what is published, a message waits there for a
 * process that is not connected just then. Reading begins with the first listener.
 */
export function createInvalidations(
  options: { url: string; log: Log; clock: Clock },
  operations: Operations,
): Invalidations {
  const sender = randomUUID();
  const listeners: ((invalidation: Invalidation) => void)[] = [];
  let reader: { close(): Promise<void> } | undefined;
  let isClosed = false;

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

  return {
    async announce(invalidation) {
      const message = encodeInvalidation(sender, invalidation);
      await operations.ask("announce", (redis) =>
        redis.xadd(INVALIDATIONS, "MAXLEN", "~", MAX_MESSAGES, "*", MESSAGE_FIELD, message),
      );
    },
    onInvalidation(listener) {
      listeners.push(listener);
      if (!isClosed) reader ??= readInvalidations({ ...options, onMessage });
    },
    async close() {
      isClosed = true;
      await reader?.close();
    },
  };
}
