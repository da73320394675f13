import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type Outlet, peerOfStream, streamOutlet } from "../../server/exchange.ts";
import type { Channel, ChannelEvents } from "./channel.ts";

/** A stream of HTTP/2. */
export class Http2Channel implements Channel {
  readonly body: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly peer: string | undefined;
  /** Headers of the answer that were set before, such as those that browsers ask for. */
  readonly #setHeaders: OutgoingHttpHeaders | undefined;
  #trailers: OutgoingHttpHeaders = {};

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, setHeaders?: OutgoingHttpHeaders) {
    this.body = stream;
    this.headers = headers;
    this.peer = peerOfStream(stream);
    this.#setHeaders = setHeaders;
  }

  get url(): string {
    const { headers } = this;
    return `${headers[":scheme"]}://${headers[":authority"] ?? headers.host}${headers[":path"]}`;
  }

  get isCutOff(): boolean {
    return this.body.aborted;
  }

  get outlet(): Outlet {
    return streamOutlet(this.body);
  }

  get hasBegun(): boolean {
    return this.body.headersSent;
  }

  get isWritable(): boolean {
    return !this.body.destroyed && !this.body.closed;
  }

  listen(events: ChannelEvents): void {
    const stream = this.body;
    const left = () => events.onLeft();
    stream.on("error", (error) => events.onError(error));
    stream.on("finish", () => events.onTaken());
    // A reset stream closes only when what it received has been read; the first event comes at once.
    stream.on("aborted", left);
    stream.on("close", () => {
      left();
      events.onClosed();
      // Node's handle of a stream outlives several collections; through its listeners the whole call would.
      // Not by the stream's own method, which has another turn of the loop for readers that may be left.
      EventEmitter.prototype.removeAllListeners.call(stream);
    });
  }

  begin(headers: OutgoingHttpHeaders, endsWithTrailers: boolean): void {
    const stream = this.body;
    const set = this.#setHeaders;
    stream.respond(set ? { ...set, ...headers } : headers, { waitForTrailers: endsWithTrailers });
    if (endsWithTrailers) stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers));
  }

  write(bytes: Uint8Array): boolean {
    return this.body.write(bytes);
  }

  whenDrained(drained: () => void): void {
    this.body.once("drain", drained);
  }

  end(last: Uint8Array | undefined, trailers: OutgoingHttpHeaders = {}): void {
    this.#trailers = trailers;
    if (last) this.body.end(last);
    else this.body.end();
  }

  destroy(): void {
    this.body.destroy();
  }
}
