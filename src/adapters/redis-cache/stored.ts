import type { Redis } from "ioredis";
import type { SharedLook } from "../../core/cache.ts";
import { decodeEntry, MAX_ENTRY_BYTES } from "./entry.ts";
import { entryKey } from "./keys.ts";
import type { Operations, Reserve } from "./operations.ts";
import { isReplyError } from "./reply-error.ts";

/**
 * What every look-up reads at once; nearly all entries are smaller. Times the operations that may be in flight it is
 * 64 MiB, as much as larger entries may take together.
 */
const FIRST_BYTES = 65_536;

/** What Redis has under an entry's key; `undefined` for a value of another type or one that is too large to be ours. */
export type Stored = { readonly bytes: Buffer; readonly remainingMs: number } | undefined;

/** What there is, or that there is no room to read it now. */
export type Read = Stored | "no room";

/** The beginning of what is stored for a key, in one round trip: all of it, unless it has `FIRST_BYTES`. */
export async function readFirst(redis: Redis, key: string): Promise<Stored> {
  const name = entryKey(key);
  return unlessForeign(async () => {
    const [bytes, remainingMs] = await Promise.all([redis.getrangeBuffer(name, 0, FIRST_BYTES - 1), redis.pttl(name)]);
    return { bytes, remainingMs };
  });
}

/**
 * All of what `readFirst` began to read. A larger entry is asked for its size, then read as a whole: pieces of two that
 * replaced each other would be no answer.
 */
export async function readAll(redis: Redis, key: string, first: Stored, reserve: Reserve): Promise<Read> {
  if (!first || first.bytes.byteLength < FIRST_BYTES) return first;
  const name = entryKey(key);
  return unlessForeign(async () => {
    const size = await redis.strlen(name);
    if (size > MAX_ENTRY_BYTES) return undefined;
    if (!reserve(size)) return "no room";
    return { bytes: await redis.getrangeBuffer(name, 0, size - 1), remainingMs: first.remainingMs };
  });
}

async function unlessForeign<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isReplyError(error, "WRONGTYPE")) return undefined;
    throw error;
  }
}

/** An absent key is an empty reply; an entry without an end is none of ours. */
export async function toLook(key: string, read: Read, operations: Pick<Operations, "hold">): Promise<SharedLook> {
  if (read === "no room") return { kind: "unknown" };
  if (!read || read.bytes.byteLength === 0 || read.remainingMs <= 0) return { kind: "miss" };
  const { bytes, remainingMs } = read;
  const entry = await operations.hold(bytes.byteLength, () => decodeEntry(key, bytes));
  return entry ? { kind: "hit", entry, remainingMs } : { kind: "miss" };
}
