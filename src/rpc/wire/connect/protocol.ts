import { notationIn, type Protocol } from "../protocol.ts";
import { endingOf } from "./ending.ts";

const CONTENT_TYPE = /^application\/connect\+(?:(json)(?:; ?charset=utf-?8)?|proto)$/i;

/** Streams of Connect. Its unary calls, which have no frames, are another matter. */
export const connect: Protocol = {
  name: "connect",
  notationOf: notationIn(CONTENT_TYPE),
  contentTypes: { proto: "application/connect+proto", json: "application/connect+json" },
  encodingHeaders: { sent: "connect-content-encoding", accepted: "connect-accept-encoding" },
  endsWithTrailers: false,
  firstTrailers: {},
  endingOf,
};
