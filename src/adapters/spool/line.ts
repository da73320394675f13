import { crc32 } from "node:zlib";

/**
 * One record is one line: `<crc32, 8 hex digits> <length in bytes> <JSON>\n`. JSON text holds no line feed, so a reader
 * finds the next record whatever happened to this one, and the checksum tells a whole record from a torn or damaged one.
 */
export function encodeLine(record: unknown): Buffer {
  const json = JSON.stringify(record);
  const head = `${checksum(Buffer.from(json))} ${Buffer.byteLength(json)} `;
  return Buffer.from(`${head}${json}\n`);
}

/** What a line holds: a value, or why it holds none. */
export type DecodedLine = { readonly value: unknown } | { readonly damage: "torn" | "malformed" | "checksum" };

const HEAD = /^([0-9a-f]{8}) ([0-9]{1,10}) /;
/** 8 digits, a space, at most 10 digits, a space. */
const MAX_HEAD_BYTES = 20;

/** Reads a line as it lies in the file, without its line feed. Never throws. */
export function decodeLine(line: Buffer): DecodedLine {
  const head = HEAD.exec(line.subarray(0, MAX_HEAD_BYTES).toString("latin1"));
  if (!head) return { damage: "malformed" };
  const json = line.subarray(head[0].length);
  const length = Number(head[2]);
  if (json.length < length) return { damage: "torn" };
  if (json.length > length || checksum(json) !== head[1]) return { damage: "checksum" };
  try {
    return { value: JSON.parse(json.toString("utf8")) };
  } catch {
    return { damage: "malformed" };
  }
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}
