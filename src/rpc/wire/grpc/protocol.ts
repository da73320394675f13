import { notationIn, type Protocol } from "../protocol.ts";
import { endingOf } from "./ending.ts";

const CONTENT_TYPE = /^application\/grpc(?:\+proto)?$/i;

/** gRPC with protobuf, which HTTP/2 alone can carry. */
export const grpc: Protocol = {
  name: "grpc",
  notationOf: notationIn(CONTENT_TYPE),
  contentTypes: { proto: "application/grpc+proto", json: "application/grpc+json" },
  encodingHeaders: { sent: "grpc-encoding", accepted: "grpc-accept-encoding" },
  endsWithTrailers: true,
  firstTrailers: { "grpc-status": "0" },
  endingOf,
};
