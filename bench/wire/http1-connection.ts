import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { EnvelopeCounter } from "./envelope.ts";

const HEAD_END = Buffer.from("\r\n\r\n");
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/**
 * A client's HTTP/1.1 connection for one call with a chunked answer, as lean as the one for HTTP/2. Anything but the
 * expected end of a call is thrown out of the process.
 */
export class Http1Connection {
  readonly #socket: Socket;
  readonly #body = new EnvelopeCounter();
  #head: Buffer | undefined = Buffer.alloc(0);
  /** Bytes of the chunk, and the line end behind it, that are still to come; undefined amid a chunk's size. */
  #chunkRest: number | undefined;
  #size = 0;
  #onEnd: (messages: number) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(host: string, port: number): Promise<Http1Connection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, "connect");
    const connection = new Http1Connection(socket);
    socket.on("data", (chunk: Buffer) => connection.#receive(chunk));
    socket.on("close", () => connection.#closed());
    return connection;
  }

  /** Sends the whole request. Once. */
  start(request: Buffer, onEnd: (messages: number) => void): void {
    this.#onEnd = onEnd;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#head === undefined) {
      this.#chunks(chunk, 0);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    const [bytes, head] = [this.#head, this.#head.toString("latin1", 0, end)];
    if (!/^HTTP\/1\.1 200 /.test(head) || !/\r\ntransfer-encoding: chunked/i.test(head)) throw new Error(head);
    this.#head = undefined;
    this.#chunks(bytes, end + HEAD_END.length);
  }

  #chunks(bytes: Buffer, start: number): void {
    let at = start;
    while (at < bytes.length) {
      if (this.#chunkRest === undefined) {
        this.#sizeByte(bytes[at] ?? 0);
        at += 1;
      } else {
        const end = Math.min(bytes.length, at + this.#chunkRest);
        // The last two bytes of what is still to come are the line end.
        this.#body.take(bytes, at, Math.min(end, at + Math.max(0, this.#chunkRest - 2)));
        this.#chunkRest -= end - at;
        at = end;
        if (this.#chunkRest === 0) this.#chunkEnded();
      }
    }
  }

  #sizeByte(byte: number): void {
    if (byte === NEWLINE) this.#chunkRest = this.#size + 2;
    else if (byte !== CARRIAGE_RETURN) this.#size = this.#size * 16 + Number.parseInt(String.fromCharCode(byte), 16);
  }

  #chunkEnded(): void {
    const isLast = this.#size === 0;
    this.#size = 0;
    this.#chunkRest = undefined;
    if (!isLast) return;
    const { end, isBetween, messages } = this.#body;
    if (!isBetween || end === undefined || "error" in JSON.parse(end)) throw new Error(`a stream ended with ${end}`);
    this.#onEnd(messages);
  }

  #closed(): void {
    throw new Error("the server cut the connection amid a call");
  }
}
