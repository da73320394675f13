import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type HttpRequest, type HttpResponse, stopReading } from "../server/exchange.ts";
import type { HostCheck } from "../server/hosts.ts";
import { type Recognized, WireCall, type WireCallPorts } from "./call.ts";
import type { Channel } from "./channel/channel.ts";
import { Http1Channel } from "./channel/http1-channel.ts";
import { Http2Channel } from "./channel/http2-channel.ts";
import { connect } from "./connect/protocol.ts";
import { grpc } from "./grpc/protocol.ts";
import { grpcWeb } from "./grpc-web/protocol.ts";
import type { MethodTable } from "./method-table.ts";
import type { Protocol } from "./protocol.ts";

export interface NativeWireOptions extends WireCallPorts {
  readonly methods: MethodTable;
  readonly isKnownHost: HostCheck;
}

/** Takes a stream, or says that it is not its own. */
export type StreamTaker = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

export interface NativeWire {
  /** The short way in, for streams of HTTP/2 that need nothing of the front door but its check of hosts. */
  readonly takeStream: StreamTaker;
  /** For requests that came in by the front door; false where they are not served here. */
  readonly answer: (request: HttpRequest, response: HttpResponse) => boolean;
}

/**
 * Serves gRPC with protobuf over HTTP/2, and streams of answers in gRPC-Web and Connect over either version. It takes what
 * it will serve and nothing else: a wrong path, HTTP method or content type is refused where that is done for all. By the
 * short way come neither requests of web pages (those with an origin) nor those with an expectation.
 */
export function createNativeWire(options: NativeWireOptions): NativeWire {
  const serve = (recognized: Recognized, channel: Channel) => void new WireCall(options, recognized, channel).serve();
  return {
    takeStream(stream, headers) {
      const recognized = recognize(options.methods, headers, headers[":method"], headers[":path"], grpcOrBrowsers);
      if (!recognized || headers.origin !== undefined || headers.expect !== undefined) return false;
      if (!options.isKnownHost(headers[":authority"] || headers.host || "")) return false;
      stream.once("finish", () => stopReading(stream));
      serve(recognized, new Http2Channel(stream, headers));
      return true;
    },
    answer(request, response) {
      const { headers, method, url } = request;
      const recognized = recognize(options.methods, headers, method, url, forBrowsers);
      if (!recognized) return false;
      serve(recognized, channelOf(request, response));
      return true;
    },
  };
}

const forBrowsers: readonly Protocol[] = [connect, grpcWeb];
const grpcOrBrowsers: readonly Protocol[] = [grpc, ...forBrowsers];

function recognize(
  methods: MethodTable,
  headers: IncomingHttpHeaders,
  method: string | undefined,
  path: string | undefined,
  protocols: readonly Protocol[],
): Recognized | undefined {
  const contentType = headers["content-type"] ?? "";
  if (method !== "POST") return undefined;
  for (const protocol of protocols) {
    const notation = protocol.notationOf(contentType);
    if (!notation) continue;
    const spec = methods.find(path ?? "");
    return spec && (protocol === grpc || spec.kind === "server_streaming") ? { protocol, notation, spec } : undefined;
  }
  return undefined;
}

function channelOf(request: HttpRequest, response: HttpResponse): Channel {
  if ("stream" in response && "stream" in request)
    return new Http2Channel(request.stream, request.headers, response.getHeaders());
  if (!("stream" in request) && !("stream" in response)) return new Http1Channel(request, response);
  throw new TypeError("a request and its response are of one version of HTTP");
}
