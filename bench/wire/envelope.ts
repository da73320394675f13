/** The prefix of a message in gRPC and in Connect's streams: a byte of flags, four of length. */
export const PREFIX_BYTES = 5;
/** Connect: the last envelope of a stream, with what HTTP/2 has trailers for. */
export const END_FLAG = 2;

export function envelope(message: Uint8Array, flags = 0): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed.writeUInt8(flags, 0);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** Counts the messages of a body that comes in any pieces, and keeps the text of Connect's last envelope. */
export class EnvelopeCounter {
  messages = 0;
  /** The text of the envelope with END_FLAG, once it is whole. */
  end: string | undefined;
  #prefixBytes = 0;
  #flags = 0;
  #rest = 0;
  #endText = "";

  /** Whether the body may end here. */
  get isBetween(): boolean {
    return this.#prefixBytes === 0;
  }

  /** Takes `bytes` from `start` up to `end`. */
  take(bytes: Buffer, start: number, end: number): void {
    let position = start;
    while (position < end) {
      if (this.#prefixBytes < PREFIX_BYTES) {
        this.#takePrefix(bytes[position] ?? 0);
        position += 1;
      } else {
        const stop = Math.min(end, position + this.#rest);
        if (this.#flags === END_FLAG) this.#endText += bytes.toString("latin1", position, stop);
        this.#rest -= stop - position;
        position = stop;
      }
      if (this.#prefixBytes === PREFIX_BYTES && this.#rest === 0) this.#finish();
    }
  }

  #takePrefix(byte: number): void {
    if (this.#prefixBytes === 0) this.#flags = byte;
    else this.#rest = this.#rest * 256 + byte;
    this.#prefixBytes += 1;
  }

  #finish(): void {
    if (this.#flags === END_FLAG) this.end = this.#endText;
    else this.messages += 1;
    this.#prefixBytes = 0;
  }
}
