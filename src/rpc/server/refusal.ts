import type { ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  createEndStreamSerialization,
  endStreamFlag,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { type HttpRequest, type HttpResponse, headerOf } from "./exchange.ts";

const endStream = createEndStreamSerialization(undefined);

export interface Refusal {
  readonly error: ConnectError;
  /** Whether callers that speak none of the protocols get the error in JSON, as Connect has it. Default: as plain text. */
  readonly inJson?: boolean;
  /** HTTP status for callers that speak none of the protocols, and for Connect where it differs from the code's own. */
  readonly status?: number;
  /** Other headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a request that no handler sees, in the protocol that its content type says. */
export function writeRefusal(request: HttpRequest, response: HttpResponse, refusal: Refusal): void {
  const { error } = refusal;
  const contentType = (headerOf(request, "content-type") ?? "").toLowerCase();
  for (const [name, value] of Object.entries(refusal.headers ?? {})) response.setHeader(name, value);
  if (contentType.startsWith("application/grpc")) writeTrailersOnly(response, error, contentType);
  else if (contentType.startsWith("application/connect+")) writeEndStream(response, error, contentType);
  else {
    const status = refusal.status ?? codeToHttpStatus(error.code);
    const speaksConnect = request.method === "POST" && /^application\/(?:json|proto)\b/.test(contentType);
    if (refusal.inJson || speaksConnect) writeJson(response, error, status);
    else write(response, status, "text/plain; charset=utf-8", Buffer.from(`${error.rawMessage}\n`));
  }
}

function writeJson(response: HttpResponse, error: ConnectError, status: number): void {
  error.metadata.forEach((value, name) => void response.setHeader(name, value));
  write(response, status, "application/json", errorToJsonBytes(error, undefined));
}

/** gRPC and gRPC-Web: no body, the status among the headers. */
function writeTrailersOnly(response: HttpResponse, error: ConnectError, contentType: string): void {
  response.setHeader("content-type", contentType);
  setTrailerStatus(new Headers(), error).forEach((value, name) => void response.setHeader(name, value));
  response.statusCode = 200;
  response.end();
}

/** Connect streams: HTTP 200, and the error in the message that ends the stream. */
function writeEndStream(response: HttpResponse, error: ConnectError, contentType: string): void {
  const data = endStream.serialize({ metadata: new Headers(), error });
  write(response, 200, contentType, encodeEnvelope(endStreamFlag, data));
}

function write(response: HttpResponse, status: number, contentType: string, body: Uint8Array): void {
  response.statusCode = status;
  response.setHeader("content-type", contentType);
  response.setHeader("content-length", body.byteLength);
  response.end(body);
}
