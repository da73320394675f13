import { Code, ConnectError, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { type FieldViolation, SluiceError } from "../../core/failure.ts";
import type { CallScope } from "./call-scope.ts";
import { locateJsonFault } from "./json-fault.ts";

/** What was received of a request's message so far, for naming the field that does not decode. */
export interface ReceivedMessage {
  /** The bytes of the first message, without framing; `undefined` where they are compressed or gone. */
  bytes(): Uint8Array | undefined;
  /** The message was decoded: its bytes are not needed any more. */
  forget(): void;
}

/** Set by a server that keeps the bytes of JSON requests until they are decoded. */
export const receivedKey = createContextKey<ReceivedMessage | undefined>(undefined, {
  description: "received message",
});

/**
 * The library ends every failed request by aborting its signal with the error, before it writes the error. An error that
 * is not ours yet, because the request never got as far as a handler, becomes ours here: INVALID_REQUEST with the field
 * where it is known. Other codes stay: RESOURCE_EXHAUSTED for a message that is too large, UNIMPLEMENTED for an unknown
 * compression or a wrong number of messages.
 */
export function explainDecodeFailure(reason: unknown, scope: CallScope, context: HandlerContext): void {
  if (!(reason instanceof ConnectError) || scope.hasIssued(reason)) return;
  if (scope.phase === "decoding") {
    if (reason.code !== Code.InvalidArgument && reason.code !== Code.Internal) return;
    // What was found when the message was read knows its field.
    const known = reason.cause instanceof SluiceError ? reason.cause : undefined;
    const violations = () => [violationOf(reason, context)];
    replace(
      reason,
      scope.issue(known ?? new SluiceError({ reason: "INVALID_REQUEST", violations: violations() }, { cause: reason })),
    );
    return;
  }
  // An answer that cannot be encoded is a bug. A caller that broke its connection is not.
  if (reason.code === Code.Internal && !reason.rawMessage.startsWith("http/2 stream closed")) {
    replace(reason, scope.issue(reason));
  }
}

function violationOf(error: ConnectError, context: HandlerContext): FieldViolation {
  const { input } = context.method;
  if (error.rawMessage.startsWith("parse binary")) {
    return {
      field: "",
      rule: "protobuf",
      description: `must be a ${input.typeName} in protobuf: it is cut, has a wrong wire type, or text that is not UTF-8`,
    };
  }
  const bytes = context.values.get(receivedKey)?.bytes();
  const fault = bytes && locateJsonFault(input, bytes);
  if (fault) return fault;
  const isJson = /\bjson\b/.test(context.requestHeader.get("content-type") ?? "");
  return {
    field: "",
    rule: "encoding",
    description: `must be a ${input.typeName}${isJson ? " in JSON" : ""}, framed and compressed as the headers say`,
  };
}

/** The error is already on its way to the writer, so it is changed in place. */
function replace(error: ConnectError, by: ConnectError): void {
  const { code, rawMessage, message, details } = by;
  Object.assign(error, { code, rawMessage, message, details });
  by.metadata.forEach((value, name) => {
    error.metadata.set(name, value);
  });
}
