import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http2";
import { gunzipSync } from "node:zlib";
import { type DescMethod, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { detailRegistry } from "../../src/rpc/errors/detail.ts";

/** What came of one stream, as it comes. */
export interface Received {
  headers: IncomingHttpHeaders | undefined;
  /** Whether the first headers were the last, too. */
  isTrailersOnly: boolean;
  body: Buffer;
  trailers: IncomingHttpHeaders | undefined;
  /** The code of RST_STREAM, ours or the server's; 0 where the stream ended without one. HTTP/1.1: 0, or cut off. */
  reset: number | "cut off" | undefined;
}

/** What a caller got of its answer, decoded. */
export interface Answer {
  /** In one line, such as `0 with 1 message` or `3 INVALID_REQUEST`. */
  readonly ends: string;
  readonly isTrailersOnly: boolean;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  /** The flags and the value of every message, as JSON. */
  readonly messages: readonly { readonly flags: number; readonly value: JsonValue }[];
  /** What is no message: the cut end of a body, or a body that is not gRPC's. */
  readonly rest: string;
  readonly trailers: Readonly<Record<string, unknown>> | undefined;
  /** grpc-status-details-bin. */
  readonly status: JsonValue | undefined;
}

export interface Frame {
  readonly flags: number;
  readonly bytes: Buffer;
}

const COMPRESSED = 1;

/** A call's id is another one every time. */
export function withoutIds(text: string): string {
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, "<call id>");
}

/** Longer values are told by their digest. */
const MAX_VALUE_CHARACTERS = 4096;

export function splitFrames(body: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let start = 0;
  while (body.length - start >= 5) {
    const end = start + 5 + body.readUInt32BE(start + 1);
    if (end > body.length) break;
    frames.push({ flags: body.readUInt8(start), bytes: body.subarray(start + 5, end) });
    start = end;
  }
  return { frames, rest: body.subarray(start) };
}

export function decodeAnswer(received: Received, method: DescMethod): Answer {
  const { isTrailersOnly, headers, trailers, body } = received;
  const isGrpc = /^application\/grpc(?:\+(?:proto|json))?(?:;|$)/.test(String(headers?.["content-type"] ?? ""));
  const { frames, rest } = isGrpc ? splitFrames(body) : { frames: [], rest: body };
  const isJson = String(headers?.["content-type"]).startsWith("application/grpc+json");
  const messages = frames.map((frame) => ({ flags: frame.flags, value: readValue(method, frame, isJson) }));
  const last = isTrailersOnly ? headers : trailers;
  const status = statusIn(last);
  return {
    ends: endOf(received, last, status, messages.length),
    isTrailersOnly,
    headers: plain(headers),
    messages,
    rest: rest.toString("latin1"),
    trailers: plain(trailers),
    status: status && toJson(StatusSchema, status, { registry: detailRegistry }),
  };
}

export function readValue({ output }: DescMethod, frame: Frame, isJson: boolean): JsonValue {
  const raw = contentOf(frame);
  const value: JsonValue = isJson ? JSON.parse(raw.toString()) : toJson(output, fromBinary(output, raw));
  const text = withoutIds(JSON.stringify(value));
  return text.length <= MAX_VALUE_CHARACTERS
    ? value
    : `${text.length} characters ${createHash("sha256").update(text).digest("hex")}`;
}

/** The content of a frame, decompressed. */
export function contentOf({ flags, bytes }: Frame): Buffer {
  return flags & COMPRESSED ? gunzipSync(bytes) : bytes;
}

export function statusIn(last: IncomingHttpHeaders | undefined) {
  const encoded = last?.["grpc-status-details-bin"];
  return encoded === undefined ? undefined : fromBinary(StatusSchema, Buffer.from(String(encoded), "base64"));
}

function endOf(
  { headers, reset }: Received,
  last: IncomingHttpHeaders | undefined,
  status: ReturnType<typeof statusIn>,
  messages: number,
): string {
  const after = countOf(messages);
  const code = last?.["grpc-status"];
  if (code !== undefined) {
    const info = status?.details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((found) => found !== undefined);
    return `${code}${info ? ` ${info.reason}` : ""}${after}`;
  }
  return lostEnd({ headers, reset }, after);
}

export function countOf(messages: number): string {
  return messages === 0 ? "" : ` with ${messages} message${messages === 1 ? "" : "s"}`;
}

/** The end of an answer that says nothing of its own of it. */
export function lostEnd({ headers, reset }: Pick<Received, "headers" | "reset">, after: string): string {
  if (headers && reset === 0) return `http ${headers[":status"]}${after}`;
  return reset === "cut off" ? `cut off${after}` : `reset ${reset}${after}`;
}

/** The headers by name, without the date and the symbols that Node adds. */
export function plain(headers: IncomingHttpHeaders | undefined): Record<string, unknown> | undefined {
  return headers && Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "date"));
}
