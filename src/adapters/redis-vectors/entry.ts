import { crc32 } from "node:zlib";

/*
 * A vector, numbers of the head in big endian:
 *
 *     version   1 byte
 *     sum       4 bytes  CRC-32 over the key and the numbers
 *     numbers            each a 32-bit float, little endian
 *
 * The key is in the sum so that a value which got under another key is no answer.
 */
const VERSION = 1;
const SUM_AT = 1;
const NUMBERS_AT = 5;
const BYTES_PER_NUMBER = 4;

/** More numbers than any model's vectors have. */
const MAX_NUMBERS = 16_000;
export const MAX_ENTRY_BYTES = NUMBERS_AT + MAX_NUMBERS * BYTES_PER_NUMBER;

/** The bytes to store under `key`, or undefined for a vector of no or more than 16,000 numbers. */
export function encodeVector(key: string, vector: Float32Array): Buffer | undefined {
  if (vector.length === 0 || vector.length > MAX_NUMBERS) return undefined;
  const entry = Buffer.alloc(NUMBERS_AT + vector.length * BYTES_PER_NUMBER);
  const view = new DataView(entry.buffer, entry.byteOffset + NUMBERS_AT);
  for (const [index, number] of vector.entries()) view.setFloat32(index * BYTES_PER_NUMBER, number, true);
  entry.writeUInt8(VERSION, 0);
  entry.writeUInt32BE(checksum(key, entry), SUM_AT);
  return entry;
}

/** The vector in an entry read from `key`, or undefined for anything that `encodeVector` did not write for it. */
export function decodeVector(key: string, entry: Buffer): Float32Array | undefined {
  const bytes = entry.byteLength - NUMBERS_AT;
  if (bytes <= 0 || bytes % BYTES_PER_NUMBER !== 0 || entry.byteLength > MAX_ENTRY_BYTES) return undefined;
  if (entry[0] !== VERSION || checksum(key, entry) !== entry.readUInt32BE(SUM_AT)) return undefined;
  const view = new DataView(entry.buffer, entry.byteOffset + NUMBERS_AT, bytes);
  const vector = new Float32Array(bytes / BYTES_PER_NUMBER);
  for (const index of vector.keys()) vector[index] = view.getFloat32(index * BYTES_PER_NUMBER, true);
  return vector;
}

function checksum(key: string, entry: Buffer): number {
  return crc32(entry.subarray(NUMBERS_AT), crc32(key));
}
