import { fromBinary, type JsonObject, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import type { ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { detailRegistry, ERROR_DOMAIN } from "../errors/detail.ts";

/** A failure that a server sent. */
export interface RemoteFailure {
  /** Such as RATE_LIMITED; one that this version does not know is possible. */
  readonly reason: string;
  readonly message: string;
  /** Empty where the server sent none. */
  readonly callId: string;
  readonly retryAfterMs?: number;
  /** The details whose types this version knows, in the order of the server. */
  readonly details: readonly Message[];
  /** The whole of it: google.rpc.Status as JSON with `@type` details. One of an unknown type has its bytes as `value`. */
  readonly status: JsonObject;
}

export class RemoteError extends Error {
  readonly failure: RemoteFailure;

  constructor(failure: RemoteFailure, options?: { cause?: unknown }) {
    super(`${failure.reason}: ${failure.message}`, options);
    this.name = "RemoteError";
    this.failure = failure;
  }
}

/** Undefined where the error does not come from a Sluice: every failure of one carries a reason of its domain. */
export function remoteFailure(error: ConnectError): RemoteFailure | undefined {
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === ERROR_DOMAIN);
  if (info === undefined) return undefined;
  const [retry] = error.findDetails(RetryInfoSchema);
  const delay = retry?.retryDelay;
  const details = error.details.flatMap((detail) => ("type" in detail ? [readDetail(detail)] : []));
  return {
    reason: info.reason,
    message: error.rawMessage,
    callId: info.metadata.call_id ?? "",
    ...(delay === undefined ? {} : { retryAfterMs: Number(delay.seconds) * 1000 + Math.round(delay.nanos / 1e6) }),
    details: details.flatMap(({ message }) => (message === undefined ? [] : [message])),
    status: { code: error.code, message: error.rawMessage, details: details.map(({ json }) => json) },
  };
}

/** A detail that cannot be decoded is shown as one of an unknown type: its bytes may still help somebody. */
function readDetail({ type, value }: { readonly type: string; readonly value: Uint8Array }): {
  readonly message?: Message;
  readonly json: JsonValue;
} {
  const typed = { "@type": `type.googleapis.com/${type}` };
  const schema = detailRegistry.getMessage(type);
  if (schema === undefined) return { json: { ...typed, value: base64Encode(value) } };
  try {
    const message = fromBinary(schema, value);
    const json = toJson(schema, message);
    return { message, json: typeof json === "object" ? { ...typed, ...json } : typed };
  } catch {
    return { json: { ...typed, value: base64Encode(value) } };
  }
}
