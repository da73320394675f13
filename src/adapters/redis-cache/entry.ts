import { promisify } from "node:util";
import { crc32, deflateRaw, inflateRaw } from "node:zlib";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { CompletionSchema } from "../../../gen/sluice/v1/completion_pb.ts";
import type { CacheEntry, CacheTags } from "../../core/cache.ts";

/*
 * An entry, numbers in big endian:
 *
 *     version   1 byte
 *     encoding  1 byte   of the payload: 0 plain, 1 raw deflate
 *     sum       4 bytes  CRC-32 over the key and everything but the version and the sum
 *     length    2 bytes  of the tags
 *     tags               JSON: [tenant, prompt name, prompt version, [models]]
 *     payload            a sluice.v1.Completion
 *
 * The key is in the sum so that a value which got under another key is no answer. The tags stand in front, so that a
 * purge reads them without the payload.
 */
const VERSION = 2;
const PLAIN = 0;
const DEFLATED = 1;
const SUM_AT = 2;
const LENGTH_AT = 6;
const TAGS_AT = 8;

/** Below this size the smaller value does not pay for the time to shrink it. */
const DEFLATE_ABOVE_BYTES = 4_096;
/** Far above what names may have; a purge reads this much of every entry. */
const MAX_TAGS_BYTES = 2_048;

/** The largest completion that is stored, before compression. */
export const MAX_COMPLETION_BYTES = 4 * 1024 * 1024;
export const MAX_HEAD_BYTES = TAGS_AT + MAX_TAGS_BYTES;
export const MAX_ENTRY_BYTES = MAX_HEAD_BYTES + MAX_COMPLETION_BYTES;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** The bytes to store under `key`, or `undefined` for a completion of more than 4 MiB or tags of more than 2 KiB. */
export async function encodeEntry(key: string, { completion, tags }: CacheEntry): Promise<Buffer | undefined> {
  const head = Buffer.from(JSON.stringify([tags.tenant, tags.promptName, tags.promptVersion, tags.models]));
  const bytes = toBinary(CompletionSchema, completion);
  if (head.byteLength > MAX_TAGS_BYTES || bytes.byteLength > MAX_COMPLETION_BYTES) return undefined;
  const deflated = bytes.byteLength > DEFLATE_ABOVE_BYTES ? await deflate(bytes, { level: 1 }) : undefined;
  // What cannot be shrunk would grow, in the end beyond the bound.
  const isSmaller = deflated !== undefined && deflated.byteLength < bytes.byteLength;
  const entry = Buffer.concat([Buffer.alloc(TAGS_AT), head, isSmaller ? deflated : bytes]);
  entry.writeUInt8(VERSION, 0);
  entry.writeUInt8(isSmaller ? DEFLATED : PLAIN, 1);
  entry.writeUInt16BE(head.byteLength, LENGTH_AT);
  entry.writeUInt32BE(checksum(key, entry), SUM_AT);
  return entry;
}

/** What is in an entry read from `key`, or `undefined` for anything that `encodeEntry` did not write for it. */
export async function decodeEntry(key: string, entry: Buffer): Promise<CacheEntry | undefined> {
  if (entry.byteLength > MAX_ENTRY_BYTES) return undefined;
  const tags = decodeTags(entry);
  if (!tags || checksum(key, entry) !== entry.readUInt32BE(SUM_AT)) return undefined;
  const payload = entry.subarray(TAGS_AT + entry.readUInt16BE(LENGTH_AT));
  const encoding = entry[1];
  if (encoding !== PLAIN && encoding !== DEFLATED) return undefined;
  try {
    const bytes = encoding === PLAIN ? payload : await inflate(payload, { maxOutputLength: MAX_COMPLETION_BYTES });
    return { completion: fromBinary(CompletionSchema, bytes), tags };
  } catch {
    // The sum was right, so somebody wrote this on purpose: a bomb, or another program's data. A miss all the same.
    return undefined;
  }
}

/**
 * The tags, from the first `MAX_HEAD_BYTES` of an entry or more; `undefined` where there are none. The sum is not
 * checked, for which the whole entry would be needed: damaged tags may be wrong tags, but their entry is no answer.
 */
export function decodeTags(entry: Buffer): CacheTags | undefined {
  if (entry.byteLength < TAGS_AT || entry[0] !== VERSION) return undefined;
  const length = entry.readUInt16BE(LENGTH_AT);
  if (length > MAX_TAGS_BYTES || entry.byteLength < TAGS_AT + length) return undefined;
  try {
    return tagsOf(JSON.parse(entry.toString("utf8", TAGS_AT, TAGS_AT + length)));
  } catch {
    return undefined;
  }
}

function tagsOf(value: unknown): CacheTags | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [tenant, promptName, promptVersion, models]: unknown[] = value;
  if (typeof tenant !== "string" || typeof promptName !== "string" || typeof promptVersion !== "string")
    return undefined;
  if (!Array.isArray(models) || !models.every((model): model is string => typeof model === "string")) return undefined;
  return { tenant, promptName, promptVersion, models };
}

function checksum(key: string, entry: Buffer): number {
  return crc32(entry.subarray(LENGTH_AT), crc32(entry.subarray(1, SUM_AT), crc32(key)));
}
