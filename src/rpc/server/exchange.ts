import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** A request and its response, of either version of HTTP. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** How long a caller that is still sending may take to read our answer before the connection goes. */
const LINGER_MS = 1000;

/** The path without the query. */
export function pathOf(request: HttpRequest): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

/** The host that the request names, with its port: `:authority`, or `host`. */
export function hostOf(request: HttpRequest): string | undefined {
  const authority = "authority" in request ? request.authority : undefined;
  return authority || request.headers.host;
}

/** The address of the peer; undefined where the connection is gone. */
export function peerOf(request: HttpRequest): string | undefined {
  return request.socket?.remoteAddress;
}

export function peerOfStream({ session }: ServerHttp2Stream): string | undefined {
  return session && !session.destroyed ? session.socket.remoteAddress : undefined;
}

export function isEncrypted(request: HttpRequest): boolean {
  return "encrypted" in request.socket && request.socket.encrypted === true;
}

/** A single header; repeated ones joined, as Node does for most. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/**
 * Once a request is answered, whatever of its body is still to come is not waited for: after a moment in which the caller
 * may read the answer, the HTTP/2 stream is closed without an error (RFC 9113, 8.1), or the HTTP/1.1 connection.
 */
export function stopReadingWhenAnswered(request: HttpRequest, response: HttpResponse): void {
  // The stream's own event: that of the response comes only when the whole stream is closed.
  if ("stream" in request) {
    const { stream } = request;
    stream.once("finish", () => stopReading(stream));
    return;
  }
  // Node takes the socket from a request that is answered.
  const { socket } = request;
  response.once("finish", () => {
    if (request.complete) return;
    socket.end();
    linger(socket, () => socket.destroy());
  });
}

/** The same for a stream alone, whose answer was taken. */
export function stopReading(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) linger(stream, () => endStream(stream));
}

/**
 * Node ends a closed stream only when what it received has been read, which nobody will do; the stream would then keep
 * the connection open after its caller has left.
 */
function endStream(stream: ServerHttp2Stream): void {
  stream.close();
  stream.destroy();
}

/** An answer on its way out, of either version of HTTP. */
export interface Outlet {
  /** Whether it waits for the answers before it, and not for its reader. */
  isQueued(): boolean;
  /** Calls once when the connection has taken the whole answer, or is gone. */
  whenTaken(taken: () => void): void;
  /** Gives up an answer that its caller does not read. */
  cut(): void;
}

export function outletOf(request: HttpRequest, response: HttpResponse): Outlet {
  // The stream's own events, for the reason above.
  if ("stream" in request) return streamOutlet(request.stream);
  return {
    // Pipelined.
    isQueued: () => response.socket === null,
    whenTaken: (taken) => whenTaken(response, response.closed, taken),
    cut: () => void request.socket.destroy(),
  };
}

export function streamOutlet(stream: ServerHttp2Stream): Outlet {
  return {
    isQueued: () => false,
    whenTaken: (taken) => whenTaken(stream, stream.closed, taken),
    cut() {
      // What gRPC clients take for RESOURCE_EXHAUSTED, with bandwidth as the resource (PROTOCOL-HTTP2.md, "Errors").
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      stream.destroy();
    },
  };
}

function whenTaken(answer: EventEmitter, isClosed: boolean, taken: () => void): void {
  if (isClosed) taken();
  else {
    answer.once("finish", taken);
    answer.once("close", taken);
  }
}

function linger(open: Socket | ServerHttp2Stream, close: () => void): void {
  const timer = setTimeout(close, LINGER_MS);
  open.once("close", () => clearTimeout(timer));
}
