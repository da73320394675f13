import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { respell } from "../../server/grpc-message.ts";
import { fromHeaders } from "../metadata.ts";
import type { Ending } from "../protocol.ts";

const OK: Ending = { trailers: { "grpc-status": "0" } };

/** An answer of gRPC ends with trailers: the status, and for an error its message, its details and its metadata. */
export function endingOf(error: ConnectError | undefined, set: Headers | undefined): Ending {
  if (!error && !set) return OK;
  return { trailers: fromHeaders(trailersOf(error, set ?? new Headers())) };
}

/** Adds the status of an error to what the handler set. Those of gRPC-Web are the same. */
export function trailersOf(error: ConnectError | undefined, set: Headers): Headers {
  if (!error) return set;
  const trailers = setTrailerStatus(set, error);
  respell(trailers);
  return trailers;
}
