import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Outlet } from "../../server/exchange.ts";

/** What happens to an exchange. */
export interface ChannelEvents {
  /** The connection has taken the whole answer. */
  onTaken(): void;
  /** The caller has left, or the exchange is over: told once or more. */
  onLeft(): void;
  /** Nothing more will come of it. */
  onClosed(): void;
  onError(error: unknown): void;
}

/** One request and the way for its answer, of either version of HTTP. */
export interface Channel {
  readonly headers: IncomingHttpHeaders;
  /** Of the whole request, with scheme and host. */
  readonly url: string;
  /** The address of the caller; undefined where the connection is gone. */
  readonly peer: string | undefined;
  readonly body: Readable;
  /** Whether the body ended because its caller cut it off. */
  readonly isCutOff: boolean;
  readonly outlet: Outlet;
  readonly hasBegun: boolean;
  readonly isWritable: boolean;
  /** Once, before anything else. */
  listen(events: ChannelEvents): void;
  /**
   * Sends the headers of an answer with status 200.
   * @param endsWithTrailers whether trailers of HTTP will be given at its end; only for HTTP/2.
   * @throws the error of Node for headers that HTTP does not take.
   */
  begin(headers: OutgoingHttpHeaders, endsWithTrailers: boolean): void;
  /** @returns false where the connection is full: `whenDrained` tells when it has taken what was written. */
  write(bytes: Uint8Array): boolean;
  /** Calls once. */
  whenDrained(drained: () => void): void;
  end(last: Uint8Array | undefined, trailers: OutgoingHttpHeaders | undefined): void;
  /** Gives up at once. */
  destroy(): void;
}
