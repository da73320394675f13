import { Code, ConnectError } from "@connectrpc/connect";

/**
 * What stands before each message in all three protocols: a byte of flags, then the length in four bytes, big-endian
 * (PROTOCOL-HTTP2.md).
 */
export const PREFIX_BYTES = 5;

/** Of the flags, the only one that a request may have. */
export const COMPRESSED = 1;

/** A message in bytes, without its prefix. */
export interface Frame {
  readonly flags: number;
  readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array();

/**
 * Cuts a body into messages. Bytes are kept only once the length that a message claims is known to be allowed, and no
 * more room is taken than twice the bytes that came, however much was claimed.
 */
export class FrameReader {
  readonly #maxBytes: number;
  #chunk: Uint8Array = NO_BYTES;
  #at = 0;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  /** Of the message whose prefix was read; undefined between messages. */
  #length: number | undefined;
  #partial: Buffer | undefined;
  #partialBytes = 0;

  /** @param maxBytes largest message as it is received. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether nothing is left of what was pushed: the body may end here. */
  get isEmpty(): boolean {
    return this.#length === undefined && this.#prefixBytes === 0 && this.#at === this.#chunk.byteLength;
  }

  push(chunk: Uint8Array): void {
    const rest = this.#chunk.subarray(this.#at);
    this.#chunk = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
  }

  /**
   * The next message; undefined until more of it is pushed.
   * @throws ConnectError as soon as a message says that it is too large (RESOURCE_EXHAUSTED) or has flags that no request has.
   */
  next(): Frame | undefined {
    this.#length ??= this.#readLength();
    if (this.#length === undefined) return undefined;
    const bytes = this.#readBytes(this.#length);
    if (!bytes) return undefined;
    this.#length = undefined;
    this.#prefixBytes = 0;
    return { flags: this.#prefix.readUInt8(0), bytes };
  }

  #readLength(): number | undefined {
    while (this.#prefixBytes < PREFIX_BYTES) {
      const byte = this.#chunk[this.#at];
      if (byte === undefined) return undefined;
      this.#prefix[this.#prefixBytes] = byte;
      this.#prefixBytes += 1;
      this.#at += 1;
    }
    if (this.#prefix.readUInt8(0) > COMPRESSED) {
      throw new ConnectError("protocol error: unknown flags", Code.InvalidArgument);
    }
    const length = this.#prefix.readUInt32BE(1);
    if (length > this.#maxBytes) throw tooLarge("readMaxBytes", length, this.#maxBytes);
    return length;
  }

  #readBytes(length: number): Uint8Array | undefined {
    const missing = length - this.#partialBytes;
    const taken = this.#chunk.subarray(this.#at, this.#at + missing);
    this.#at += taken.byteLength;
    if (!this.#partial && taken.byteLength === length) return taken;
    const partial = this.#roomFor(taken.byteLength, length);
    partial.set(taken, this.#partialBytes);
    this.#partialBytes += taken.byteLength;
    if (this.#partialBytes < length) return undefined;
    this.#partial = undefined;
    this.#partialBytes = 0;
    return partial.subarray(0, length);
  }

  #roomFor(more: number, length: number): Buffer {
    const needed = this.#partialBytes + more;
    if (this.#partial && this.#partial.length >= needed) return this.#partial;
    const larger = Buffer.allocUnsafe(Math.min(length, Math.max(2 * needed, 1024)));
    if (this.#partial) larger.set(this.#partial.subarray(0, this.#partialBytes));
    this.#partial = larger;
    return larger;
  }
}

/** Frames with their prefixes, in one piece of so many bytes. */
export function joined(frames: readonly Frame[], bytes: number): Buffer {
  const framed = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { flags, bytes: message } of frames) {
    framed[at] = flags;
    framed.writeUInt32BE(message.byteLength, at + 1);
    framed.set(message, at + PREFIX_BYTES);
    at += PREFIX_BYTES + message.byteLength;
  }
  return framed;
}

/** Names the limit as the library does, so that a caller is told the same on every protocol. */
export function tooLarge(limit: "readMaxBytes" | "writeMaxBytes", bytes: number, maxBytes: number): ConnectError {
  return new ConnectError(
    `message size ${bytes} is larger than configured ${limit} ${maxBytes}`,
    Code.ResourceExhausted,
  );
}
