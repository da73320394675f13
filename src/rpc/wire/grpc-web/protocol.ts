import { notationIn, type Protocol } from "../protocol.ts";
import { endingOf } from "./ending.ts";

const CONTENT_TYPE = /^application\/grpc-web(?:\+(?:(json)(?:; ?charset=utf-?8)?|proto))?$/i;

/** gRPC-Web, but for its text in base64. */
export const grpcWeb: Protocol = {
  name: "grpc-web",
  notationOf: notationIn(CONTENT_TYPE),
  contentTypes: { proto: "application/grpc-web+proto", json: "application/grpc-web+json" },
  encodingHeaders: { sent: "grpc-encoding", accepted: "grpc-accept-encoding" },
  endsWithTrailers: false,
  firstTrailers: { "grpc-status": "0" },
  endingOf,
};
