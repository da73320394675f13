import type { ConnectError } from "@connectrpc/connect";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { trailersOf } from "../grpc/ending.ts";
import type { Ending } from "../protocol.ts";

const OK: Ending = inMessage(new Headers({ "grpc-status": "0" }));

/** An answer of gRPC-Web ends with gRPC's trailers in a message of their own, since pages cannot read those of HTTP. */
export function endingOf(error: ConnectError | undefined, set: Headers | undefined): Ending {
  if (!error && !set) return OK;
  return inMessage(trailersOf(error, set ?? new Headers()));
}

function inMessage(trailers: Headers): Ending {
  return { message: { flags: trailerFlag, bytes: trailerSerialize(trailers) } };
}
