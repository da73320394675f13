/** One server-sent event. */
export interface SseEvent {
  /** The `event:` field; "message" where there was none. */
  readonly name: string;
  /** The `data:` lines, joined by line feeds. */
  readonly data: string;
}

/** The stream cannot be read on: invalid UTF-8, or a line or event beyond the limit. */
export class SseError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SseError";
  }
}

const LF = 0x0a;
const CR = 0x0d;

/**
 * An incremental reader of `text/event-stream` (WHATWG HTML, 9.2.6): bytes in, events out, whatever the chunking. Lines
 * end with LF, CRLF or CR; a byte order mark at the start, comments, `id:` and `retry:` are passed over. It bends the
 * standard in one point: an event at the end of the stream counts although its blank line is missing.
 *
 * Lines are cut as bytes and decoded one by one (no UTF-8 sequence holds a CR or LF), so that a bad byte spoils its own
 * line only, and the events before it are the same at any chunking.
 */
export class SseReader {
  readonly #maxEventBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The pieces of the line that has not ended yet. */
  #partial: Uint8Array[] = [];
  /** Bytes of the event that has not ended yet, its unfinished line included. */
  #eventBytes = 0;
  /** The last byte was a CR that ended a line; an LF right after it belongs to it. */
  #afterCr = false;
  #atStart = true;
  #name = "";
  #data: string[] = [];

  /** `maxEventBytes` bounds what is held back: one event, its lines and its name. */
  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /**
   * Yields the events that these bytes complete. The end of the array may be kept, so it must not be written to again.
   * @throws SseError
   */
  *push(bytes: Uint8Array): Generator<SseEvent> {
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        start = i + 1;
        continue;
      }
      this.#afterCr = byte === CR;
      if (byte !== LF && byte !== CR) continue;
      const event = this.#endLine(bytes.subarray(start, i));
      start = i + 1;
      if (event) yield event;
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
  }

  /**
   * The event that the end of the stream completes, if any. Only for a stream that ended cleanly.
   * @throws SseError
   */
  end(): SseEvent | undefined {
    if (this.#partial.length > 0) this.#endLine(new Uint8Array());
    return this.#dispatch();
  }

  #keep(bytes: Uint8Array): void {
    this.#count(bytes.length);
    this.#partial.push(bytes);
  }

  #count(bytes: number): void {
    this.#eventBytes += bytes;
    if (this.#eventBytes > this.#maxEventBytes)
      throw new SseError(`an event is larger than ${this.#maxEventBytes} bytes`);
  }

  #endLine(rest: Uint8Array): SseEvent | undefined {
    this.#count(rest.length);
    const bytes = this.#partial.length === 0 ? rest : Buffer.concat([...this.#partial, rest]);
    this.#partial = [];
    const line = this.#decode(bytes);
    if (line === "") return this.#dispatch();
    this.#readField(line);
  }

  #decode(bytes: Uint8Array): string {
    let line: string;
    try {
      line = this.#decoder.decode(bytes);
    } catch (cause) {
      throw new SseError("a line is not valid UTF-8", { cause });
    }
    if (this.#atStart) {
      this.#atStart = false;
      if (line.startsWith("\uFEFF")) return line.slice(1);
    }
    return line;
  }

  #readField(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) {
      // A comment belongs to no event: heartbeats before an event must not add up to its limit.
      if (this.#data.length === 0) this.#eventBytes = 0;
      return;
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
  }

  #dispatch(): SseEvent | undefined {
    const event = { name: this.#name || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#name = "";
    this.#data = [];
    this.#eventBytes = 0;
    return isEmpty ? undefined : event;
  }
}
