import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { EnvelopeCounter } from "./envelope.ts";
import {
  Flag,
  FRAME_HEAD_BYTES,
  FrameType,
  frame,
  headerBlocks,
  PREFACE,
  readSettings,
  Setting,
  settings,
  windowUpdate,
} from "./http2-frames.ts";

const MAX_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
/** The connection's window is given back in such portions. */
const WINDOW_PORTION = 1024 * 1024;

/** What every call of a connection sends. */
export interface SameRequest {
  fields: readonly (readonly [string, string])[];
  body: Buffer;
}

/** Called with the number of messages when a call has ended with trailers. */
export type CallEnd = (messages: number) => void;

interface OpenCall {
  body: EnvelopeCounter;
  onEnd: CallEnd;
}

/**
 * A client's connection that costs a tenth of node:http2's CPU, so that the load is not the limit: it sends one request
 * again and again, counts messages, and decodes neither headers nor answers. It keeps to the server's limits: calls
 * beyond them wait. Anything but the expected end of a call is thrown out of the process.
 */
export class Http2Connection {
  readonly #socket: Socket;
  readonly #first: Buffer;
  readonly #others: Buffer;
  readonly #bodyBytes: number;
  readonly #calls = new Map<number, OpenCall>();
  readonly #waiting: CallEnd[] = [];
  #nextStream = 1;
  #window = DEFAULT_WINDOW;
  #maxCalls = Number.MAX_SAFE_INTEGER;
  #taken = 0;
  #rest: Buffer = Buffer.alloc(0);
  #isCorked = false;
  #ready: () => void = () => {};

  private constructor(socket: Socket, { fields, body }: SameRequest) {
    this.#socket = socket;
    this.#bodyBytes = body.length;
    const { first, others } = headerBlocks(fields);
    this.#first = requestFrames(first, body);
    this.#others = requestFrames(others, body);
  }

  /** Resolves once the server has said its limits. */
  static async open(host: string, port: number, request: SameRequest): Promise<Http2Connection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, "connect");
    const connection = new Http2Connection(socket, request);
    const ready = new Promise<void>((resolve) => {
      connection.#ready = resolve;
    });
    socket.on("data", (chunk: Buffer) => connection.#receive(chunk));
    socket.on("close", () => connection.#closed());
    socket.write(
      Buffer.concat([
        PREFACE,
        settings({ [Setting.INITIAL_WINDOW_SIZE]: MAX_WINDOW }),
        windowUpdate(0, MAX_WINDOW - DEFAULT_WINDOW),
      ]),
    );
    await ready;
    return connection;
  }

  /** Starts a call, now or when the server's limits allow it. */
  start(onEnd: CallEnd): void {
    this.#waiting.push(onEnd);
    this.#sendWaiting();
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && this.#calls.size < this.#maxCalls && this.#window >= this.#bodyBytes) {
      const onEnd = this.#waiting.shift();
      if (onEnd) this.#send(onEnd);
    }
  }

  #send(onEnd: CallEnd): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#window -= this.#bodyBytes;
    this.#calls.set(stream, { body: new EnvelopeCounter(), onEnd });
    const bytes = Buffer.from(stream === 1 ? this.#first : this.#others);
    bytes.writeUInt32BE(stream, 5);
    bytes.writeUInt32BE(stream, bytes.length - this.#bodyBytes - 4);
    this.#write(bytes);
  }

  /** What is written in one turn goes out together. */
  #write(bytes: Buffer): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const end = at + FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#frame(bytes, at, end);
      at = end;
    }
    this.#rest = bytes.subarray(at);
    if (this.#taken >= WINDOW_PORTION) {
      this.#write(windowUpdate(0, this.#taken));
      this.#taken = 0;
    }
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3];
    const flags = bytes[at + 4] ?? 0;
    const stream = bytes.readUInt32BE(at + 5);
    const start = at + FRAME_HEAD_BYTES;
    if (type === FrameType.DATA) this.#data(stream, flags, bytes, start, end);
    else if (type === FrameType.HEADERS) {
      if (flags & Flag.END_STREAM) this.#ended(stream);
    } else if (type === FrameType.WINDOW_UPDATE) {
      if (stream === 0) this.#window += bytes.readUInt32BE(start);
      this.#sendWaiting();
    } else if (type === FrameType.SETTINGS) this.#settings(flags, bytes.subarray(start, end));
    else if (type === FrameType.PING) {
      if (!(flags & Flag.ACK)) this.#write(frame(FrameType.PING, Flag.ACK, 0, bytes.subarray(start, end)));
    } else if (type === FrameType.GOAWAY) throw new Error("the server closes the connection");
    else if (type === FrameType.RST_STREAM && this.#calls.has(stream)) throw new Error("the server reset a call");
  }

  #data(stream: number, flags: number, bytes: Buffer, start: number, end: number): void {
    if (flags & (Flag.END_STREAM | Flag.PADDED)) throw new Error("a body is padded, or ends without trailers");
    this.#taken += end - start;
    this.#calls.get(stream)?.body.take(bytes, start, end);
  }

  #ended(stream: number): void {
    const call = this.#calls.get(stream);
    if (!call?.body.isBetween) throw new Error("a call ended that was not open, or amid a message");
    this.#calls.delete(stream);
    call.onEnd(call.body.messages);
    this.#sendWaiting();
  }

  #settings(flags: number, payload: Buffer): void {
    if (flags & Flag.ACK) return;
    this.#maxCalls = readSettings(payload).get(Setting.MAX_CONCURRENT_STREAMS) ?? this.#maxCalls;
    this.#write(frame(FrameType.SETTINGS, Flag.ACK, 0));
    this.#ready();
  }

  #closed(): void {
    throw new Error(`the server cut the connection with ${this.#calls.size} calls open`);
  }
}

/** HEADERS and DATA, for any stream: its number is put in for each call. */
function requestFrames(headerBlock: Buffer, body: Buffer): Buffer {
  return Buffer.concat([
    frame(FrameType.HEADERS, Flag.END_HEADERS, 0, headerBlock),
    frame(FrameType.DATA, Flag.END_STREAM, 0, body),
  ]);
}
