import type { Redis } from "ioredis";
import { CacheAwayError, type CacheFilter, fitsFilter } from "../../core/cache.ts";
import { withConnection } from "./connect.ts";
import { decodeTags, MAX_HEAD_BYTES } from "./entry.ts";
import { ENTRY_PATTERN, keyOfEntry } from "./keys.ts";
import { isReplyError } from "./reply-error.ts";

/** Keys that Redis looks at per round trip; it answers nobody else meanwhile. */
const KEYS_AT_ONCE = 256;
/** What one round trip may take. */
const TIMEOUT_MS = 2_000;

/**
 * Removes the entries that fit, and says how many those were. With an empty filter everything under the name of an
 * entry goes, damaged and of other versions too; otherwise only what has tags, and what has none answers nothing.
 * It has a connection of its own, so that calls do not wait behind what it reads.
 * @throws CacheAwayError when Redis does not do its part, each step within 2 s; the signal's reason when that fires.
 */
export async function purgeRedis(options: { url: string; filter: CacheFilter; signal: AbortSignal }): Promise<number> {
  const { url, filter, signal } = options;
  try {
    const connection = { url, name: "sluice-purge", signal, socketTimeoutMs: TIMEOUT_MS };
    return await withConnection(connection, (redis) => removeFitting(redis, filter));
  } catch (error) {
    signal.throwIfAborted();
    // The error itself holds the command, and with it perhaps the password.
    const reason = error instanceof Error ? error.message : "no reason given";
    throw new CacheAwayError(`Redis did not finish the purge: ${reason}`);
  }
}

async function removeFitting(redis: Redis, filter: CacheFilter): Promise<number> {
  let removed = 0;
  let cursor = "0";
  do {
    const [next, names] = await redis.scan(cursor, "MATCH", ENTRY_PATTERN, "COUNT", KEYS_AT_ONCE);
    cursor = next;
    const entries = names.filter((name) => keyOfEntry(name) !== undefined);
    // SCAN may answer with more than it was asked for.
    for (let at = 0; at < entries.length; at += KEYS_AT_ONCE) {
      const fitting = await thoseThatFit(redis, entries.slice(at, at + KEYS_AT_ONCE), filter);
      removed += await unlink(redis, fitting);
    }
  } while (cursor !== "0");
  return removed;
}

async function thoseThatFit(redis: Redis, names: readonly string[], filter: CacheFilter): Promise<readonly string[]> {
  if (isEmptyFilter(filter)) return names;
  const pipeline = redis.pipeline();
  for (const name of names) pipeline.getrangeBuffer(name, 0, MAX_HEAD_BYTES - 1);
  const replies = (await pipeline.exec()) ?? [];
  return names.filter((_, index) => {
    const [error, head] = replies[index] ?? [];
    // A value of another type is none of ours.
    if (error && !isReplyError(error, "WRONGTYPE")) throw error;
    const tags = Buffer.isBuffer(head) ? decodeTags(head) : undefined;
    return tags !== undefined && fitsFilter(tags, filter);
  });
}

/** One UNLINK per entry, since each has a slot of its own (see keys.ts). */
async function unlink(redis: Redis, names: readonly string[]): Promise<number> {
  if (names.length === 0) return 0;
  const pipeline = redis.pipeline();
  for (const name of names) pipeline.unlink(name);
  let removed = 0;
  for (const [error, count] of (await pipeline.exec()) ?? []) {
    if (error) throw error;
    removed += Number(count);
  }
  return removed;
}

function isEmptyFilter({ tenant, promptName, promptVersion, model, ...rest }: CacheFilter): boolean {
  rest satisfies Record<string, never>;
  return [tenant, promptName, promptVersion, model].every((value) => value === undefined);
}
