// As much of HTTP/2 (RFC 9113) and HPACK (RFC 7541) as a client needs that sends the same request again and again.

export const FRAME_HEAD_BYTES = 9;
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
} as const;

export const Flag = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8 } as const;

export const Setting = { MAX_CONCURRENT_STREAMS: 3, INITIAL_WINDOW_SIZE: 4 } as const;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, FRAME_HEAD_BYTES);
  return bytes;
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(bytes);
  return frame(FrameType.WINDOW_UPDATE, 0, stream, payload);
}

export function settings(values: Record<number, number>): Buffer {
  const entries = Object.entries(values);
  const payload = Buffer.allocUnsafe(entries.length * 6);
  for (const [index, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(Number(id), index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

/** The settings in a frame's payload, by their numbers. */
export function readSettings(payload: Buffer): Map<number, number> {
  const values = new Map<number, number>();
  for (let at = 0; at + 6 <= payload.length; at += 6)
    values.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  return values;
}

/** The first index of the table that a connection fills (RFC 7541, 2.3.3). */
const FIRST_DYNAMIC_INDEX = 62;

/**
 * The header block of the first request of a connection, which puts every field into the connection's table, and that of
 * all others, which names them by index, as clients do.
 * @param fields at most 60, each name and value under 127 bytes of ASCII.
 */
export function headerBlocks(fields: readonly (readonly [string, string])[]): { first: Buffer; others: Buffer } {
  const literal = (text: string) => [Buffer.from([text.length]), Buffer.from(text, "latin1")];
  // 0x40: a literal with incremental indexing and a new name.
  const first = fields.flatMap(([name, value]) => [Buffer.from([0x40]), ...literal(name), ...literal(value)]);
  // The field that was put in last has the lowest index.
  const others = fields.map((_, index) => 0x80 | (FIRST_DYNAMIC_INDEX + fields.length - 1 - index));
  return { first: Buffer.concat(first), others: Buffer.from(others) };
}
