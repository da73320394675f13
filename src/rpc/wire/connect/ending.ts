import type { ConnectError } from "@connectrpc/connect";
import { createEndStreamSerialization, endStreamFlag } from "@connectrpc/connect/protocol-connect";
import type { Ending } from "../protocol.ts";

const { serialize } = createEndStreamSerialization(undefined);
const OK: Ending = inMessage(undefined, new Headers());

/** A stream of Connect ends with a message in JSON: the error, where there is one, and the trailers. */
export function endingOf(error: ConnectError | undefined, set: Headers | undefined): Ending {
  if (!error && !set) return OK;
  return inMessage(error, set ?? new Headers());
}

function inMessage(error: ConnectError | undefined, metadata: Headers): Ending {
  return { message: { flags: endStreamFlag, bytes: serialize({ error, metadata }) } };
}
