import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { isEncrypted, type Outlet, outletOf, peerOf } from "../../server/exchange.ts";
import type { Channel, ChannelEvents } from "./channel.ts";

/** A request of HTTP/1.1 and its response. */
export class Http1Channel implements Channel {
  readonly body: IncomingMessage;
  readonly peer: string | undefined;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.body = request;
    this.peer = peerOf(request);
    this.#response = response;
  }

  get headers(): IncomingHttpHeaders {
    return this.body.headers;
  }

  get url(): string {
    return `${isEncrypted(this.body) ? "https" : "http"}://${this.headers.host}${this.body.url}`;
  }

  get isCutOff(): boolean {
    return !this.body.complete;
  }

  get outlet(): Outlet {
    return outletOf(this.body, this.#response);
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  get isWritable(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  listen(events: ChannelEvents): void {
    const response = this.#response;
    const left = () => events.onLeft();
    // A request tells of its connection's end as an error, too, which is none where nobody reads any longer.
    this.body.on("error", (error) => events.onError(error));
    response.on("error", (error) => events.onError(error));
    response.on("finish", () => events.onTaken());
    // The response of a pipelined request has no connection yet, which it could hear of.
    this.body.on("aborted", left);
    response.on("close", () => {
      left();
      events.onClosed();
    });
  }

  begin(headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(200, headers);
  }

  /** Node writes a chunk's head, body and end in one. */
  write(bytes: Uint8Array): boolean {
    return this.#response.write(bytes);
  }

  whenDrained(drained: () => void): void {
    this.#response.once("drain", drained);
  }

  end(last: Uint8Array | undefined): void {
    this.#response.end(last);
  }

  destroy(): void {
    this.#response.destroy();
  }
}
