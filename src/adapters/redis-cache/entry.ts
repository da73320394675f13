import { promisify } from "node:util";
import { crc32, deflateRaw, inflateRaw } from "node:zlib";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Completion, CompletionSchema } from "../../../gen/sluice/v1/completion_pb.ts";

/*
 * An entry: version (1 byte), encoding (1 byte: 0 plain, 1 raw deflate), CRC-32 (4 bytes, big endian) over the key, the
 * encoding and the payload, then the payload: a sluice.v1.Completion. The key is in the sum so that a value which got
 * under another key is no answer.
 */
const VERSION = 1;
const PLAIN = 0;
const DEFLATED = 1;
const HEADER_BYTES = 6;

/** Below this size the smaller value does not pay for the time to shrink it. */
const DEFLATE_ABOVE_BYTES = 4_096;

/** The largest completion that is stored, before compression. */
export const MAX_COMPLETION_BYTES = 4 * 1024 * 1024;
export const MAX_ENTRY_BYTES = MAX_COMPLETION_BYTES + HEADER_BYTES;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** The bytes to store under `key`, or `undefined` for a completion of more than 4 MiB. */
export async function encodeEntry(key: string, completion: Completion): Promise<Buffer | undefined> {
  const bytes = toBinary(CompletionSchema, completion);
  if (bytes.byteLength > MAX_COMPLETION_BYTES) return undefined;
  const small = bytes.byteLength <= DEFLATE_ABOVE_BYTES;
  const payload = small ? bytes : await deflate(bytes, { level: 1 });
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = VERSION;
  header[1] = small ? PLAIN : DEFLATED;
  header.writeUInt32BE(checksum(key, header[1], payload), 2);
  return Buffer.concat([header, payload]);
}

/** The completion in an entry read from `key`, or `undefined` for anything that `encodeEntry` did not write for it. */
export async function decodeEntry(key: string, entry: Buffer): Promise<Completion | undefined> {
  if (entry.byteLength < HEADER_BYTES || entry.byteLength > MAX_ENTRY_BYTES || entry[0] !== VERSION) return undefined;
  const encoding = entry[1];
  const payload = entry.subarray(HEADER_BYTES);
  if (encoding !== PLAIN && encoding !== DEFLATED) return undefined;
  if (checksum(key, encoding, payload) !== entry.readUInt32BE(2)) return undefined;
  try {
    const bytes = encoding === PLAIN ? payload : await inflate(payload, { maxOutputLength: MAX_COMPLETION_BYTES });
    return fromBinary(CompletionSchema, bytes);
  } catch {
    // The sum was right, so somebody wrote this on purpose: a bomb, or another program's data. A miss all the same.
    return undefined;
  }
}

function checksum(key: string, encoding: number, payload: Uint8Array): number {
  return crc32(payload, crc32(Buffer.of(encoding), crc32(key)));
}
