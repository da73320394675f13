import type { IncomingHttpHeaders } from "node:http2";
import type { DescMethod, JsonValue } from "@bufbuild/protobuf";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { createEndStreamSerialization, endStreamFlag } from "@connectrpc/connect/protocol-connect";
import { trailerFlag, trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { detailRegistry } from "../../src/rpc/errors/detail.ts";
import {
  type Answer,
  contentOf,
  countOf,
  decodeAnswer,
  type Frame,
  lostEnd,
  plain,
  type Received,
  readValue,
  splitFrames,
} from "./answer.ts";
import type { Speech } from "./speech.ts";

const endStream = createEndStreamSerialization(undefined);

/** What a browser got of its stream, with what its last message says of the end. */
export function decodeBrowserAnswer(received: Received, method: DescMethod, { notation }: Speech): Answer {
  const contentType = String(received.headers?.["content-type"] ?? "");
  const { frames, rest } = splitFrames(received.body);
  const messages = frames.filter(({ flags }) => flags < endStreamFlag);
  const last = frames.at(-1);
  const values = messages.map((frame) => ({
    flags: frame.flags,
    value: readValue(method, frame, notation === "json"),
  }));
  if (contentType.startsWith("application/grpc-web")) {
    const trailers = last && last.flags & trailerFlag ? parsedTrailers(last) : undefined;
    // The status of a refusal stands among the headers.
    const isTrailersOnly = frames.length === 0;
    const grpc = decodeAnswer({ ...received, isTrailersOnly, trailers, body: Buffer.alloc(0) }, method);
    return { ...grpc, ends: grpc.ends + countOf(values.length), messages: values, rest: rest.toString("latin1") };
  }
  if (!contentType.startsWith("application/connect+")) return decodeAnswer(received, method);
  const end = last && last.flags & endStreamFlag ? endStream.parse(contentOf(last)) : undefined;
  const after = countOf(values.length);
  return {
    ends: end ? `${endOf(end.error)}${after}` : lostEnd(received, after),
    isTrailersOnly: false,
    headers: plain(received.headers),
    messages: values,
    rest: rest.toString("latin1"),
    trailers: end && plain(Object.fromEntries(end.metadata)),
    status: end?.error && statusOf(end.error),
  };
}

/** The library's wire percent-encodes more of a message than gRPC asks for, so that it is compared as callers read it. */
function parsedTrailers(frame: Frame): IncomingHttpHeaders {
  const trailers = Object.fromEntries(trailerParse(contentOf(frame)));
  const message = trailers["grpc-message"];
  return message === undefined ? trailers : { ...trailers, "grpc-message": decodeURIComponent(message) };
}

function endOf(error: ConnectError | undefined): string {
  if (!error) return "0";
  const [info] = error.findDetails(ErrorInfoSchema);
  return `${error.code}${info ? ` ${info.reason}` : ""}`;
}

/** The error as gRPC's status. What is said of a detail for people must be what it is. */
function statusOf({ code, rawMessage, details }: ConnectError): JsonValue {
  const anys = details.map((detail): Any => {
    if ("desc" in detail) throw new TypeError("was not received");
    const any = create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value });
    const schema = detailRegistry.getMessage(detail.type);
    if (schema && detail.debug !== undefined) fromJson(schema, detail.debug as JsonValue);
    return any;
  });
  const status = create(StatusSchema, { code, message: rawMessage, details: anys });
  return toJson(StatusSchema, status, { registry: detailRegistry });
}
