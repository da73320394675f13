import type { OutgoingHttpHeaders } from "node:http";
import { MAX_WRITE_BYTES } from "../server/paced-body.ts";
import { ReaderWatch, type ReaderWatchEvents } from "../server/reader-watch.ts";
import type { Channel } from "./channel/channel.ts";
import { type Frame, joined, PREFIX_BYTES } from "./message/framing.ts";

/**
 * Writes the answer of one call. Messages that are ready in the same turn of the event loop go out in one write. Who is
 * told to wait, waits until the connection has taken what was written.
 */
export class Answer {
  readonly #channel: Channel;
  readonly #slowReaderMs: number;
  readonly #events: ReaderWatchEvents;
  #watch: ReaderWatch | undefined;
  /** What the watch does once nothing more is written: by then only the cut is left, and most answers are taken at once. */
  #lastTimer: NodeJS.Timeout | undefined;
  #pending: Frame[] = [];
  #pendingBytes = 0;
  #isFlushDue = false;
  #isBlocked = false;
  #unblock: (() => void) | undefined;

  constructor(channel: Channel, slowReaderMs: number, events: ReaderWatchEvents) {
    this.#channel = channel;
    this.#slowReaderMs = slowReaderMs;
    this.#events = events;
  }

  get hasBegun(): boolean {
    return this.#channel.hasBegun;
  }

  begin(headers: OutgoingHttpHeaders, endsWithTrailers: boolean): void {
    if (this.#channel.isWritable) this.#channel.begin(headers, endsWithTrailers);
  }

  /** The only message, or the last one, which waits for `end` where it is small. */
  writeLast(frame: Frame): Promise<void> | undefined {
    return this.#hasRoomFor(frame) ? this.#add(frame) : this.write(frame);
  }

  /** @returns undefined where there is room for the next message at once; otherwise resolves when there is. */
  write(frame: Frame): Promise<void> | undefined {
    if (!this.#hasRoomFor(frame)) {
      this.#flush();
      if (!this.#hasRoomFor(frame)) return this.#writeInPieces(frame);
    }
    this.#add(frame);
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      process.nextTick(flush, this);
    }
    return this.#isBlocked ? this.#room() : undefined;
  }

  #hasRoomFor({ bytes }: Frame): boolean {
    return this.#pendingBytes + PREFIX_BYTES + bytes.byteLength <= MAX_WRITE_BYTES;
  }

  #add(frame: Frame): undefined {
    this.#pending.push(frame);
    this.#pendingBytes += PREFIX_BYTES + frame.bytes.byteLength;
  }

  /** Nothing may be written after it. A protocol has trailers or a last frame of its own. */
  end(lastFrame: Frame | undefined, trailers: OutgoingHttpHeaders | undefined): void {
    if (lastFrame) this.#add(lastFrame);
    const last = this.#takePending();
    if (!this.#channel.isWritable) return;
    this.#channel.end(last, trailers);
    if (this.#watch || this.#channel.outlet.isQueued()) this.#watched().wrote();
    else this.#lastTimer = setTimeout(() => this.#cut(), 2 * this.#slowReaderMs);
  }

  /** The connection has taken all of it, or is gone: nobody waits for it any longer. */
  stop(): void {
    clearTimeout(this.#lastTimer);
    this.#unblock?.();
  }

  #cut(): void {
    this.#channel.outlet.cut();
    this.#events.onCut();
  }

  static flush(answer: Answer): void {
    answer.#flush();
  }

  #flush(): void {
    this.#isFlushDue = false;
    const ready = this.#takePending();
    if (ready) this.#send(ready);
  }

  #takePending(): Uint8Array | undefined {
    if (this.#pendingBytes === 0) return undefined;
    const bytes = joined(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    return bytes;
  }

  #send(bytes: Uint8Array): void {
    if (!this.#channel.isWritable || this.#channel.write(bytes)) return;
    this.#watched().wrote();
    if (this.#isBlocked) return;
    this.#isBlocked = true;
    this.#channel.whenDrained(() => {
      this.#isBlocked = false;
      this.#watched().taken();
      this.#unblock?.();
    });
  }

  async #writeInPieces(frame: Frame): Promise<void> {
    const framed = joined([frame], PREFIX_BYTES + frame.bytes.byteLength);
    for (let at = 0; at < framed.byteLength; at += MAX_WRITE_BYTES) {
      if (this.#isBlocked) await this.#room();
      this.#send(framed.subarray(at, at + MAX_WRITE_BYTES));
    }
    if (this.#isBlocked) await this.#room();
  }

  #room(): Promise<void> | undefined {
    if (!this.#channel.isWritable) return undefined;
    return new Promise((resolve) => {
      this.#unblock = resolve;
    });
  }

  #watched(): ReaderWatch {
    this.#watch ??= new ReaderWatch(this.#channel.outlet, this.#slowReaderMs, this.#events);
    return this.#watch;
  }
}

const { flush } = Answer;
