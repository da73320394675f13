import { create, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { type Status, StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import type { Failure } from "../core/failure.ts";
import { errorTable } from "./error-table.ts";
import { detailRegistry, errorInfo, retryInfo } from "./errors/detail.ts";
import { type DetailRoom, FULL_ROOM, lessRoom } from "./errors/detail-room.ts";
import type { ErrorRow } from "./errors/row.ts";

/** Some clients take no more than 8 KiB of trailers, and base64 adds a third. */
export const MAX_STATUS_BYTES = 4096;

/** A longer wait is told as this one: gRPC reads the pushback as a 32-bit number. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/** Tells gRPC clients the wait before a retry in milliseconds; -1 where a retry is pointless (gRFC A6). */
export const PUSHBACK_TRAILER = "grpc-retry-pushback-ms";

/** The row of a failure. The table is keyed by the failure's own reason, which TypeScript cannot correlate. */
function rowOf(failure: Failure): ErrorRow<Failure> {
  return errorTable[failure.reason] as ErrorRow<Failure>;
}

function waitOf(failure: Failure): number | undefined {
  const waitMs = rowOf(failure).waitMs?.(failure);
  return waitMs === undefined ? undefined : Math.ceil(Math.min(Math.max(waitMs || 0, 0), MAX_WAIT_MS));
}

function detailsOf(failure: Failure, callId: string, room: DetailRoom): Any[] {
  const waitMs = waitOf(failure);
  return [
    errorInfo(failure.reason, callId),
    ...(rowOf(failure).details?.(failure, room) ?? []),
    ...(waitMs === undefined ? [] : [retryInfo(waitMs)]),
  ];
}

/** A failure as the contract's status, at most 4,096 bytes when encoded: lists are cut first, then texts. */
export function statusOf(failure: Failure, callId: string): Status {
  const { code, message } = rowOf(failure);
  const text = typeof message === "string" ? message : message(failure);
  for (let room: DetailRoom | undefined = FULL_ROOM; room !== undefined; room = lessRoom(room)) {
    const status = create(StatusSchema, { code, message: text, details: detailsOf(failure, callId, room) });
    if (toBinary(StatusSchema, status).length <= MAX_STATUS_BYTES) return status;
  }
  return create(StatusSchema, { code, message: text, details: [errorInfo(failure.reason, callId)] });
}

/** The status as JSON with `@type` details, as `error_reason.proto` shows it. */
export function statusJson(failure: Failure, callId: string): JsonValue {
  return toJson(StatusSchema, statusOf(failure, callId), { registry: detailRegistry });
}

/** The failure as an error of the transport: code, message, details, and the pushback as metadata. */
export function toConnectError(failure: Failure, callId: string, cause?: unknown): ConnectError {
  const status = statusOf(failure, callId);
  const error = new ConnectError(
    status.message,
    status.code,
    { [PUSHBACK_TRAILER]: String(waitOf(failure) ?? -1) },
    undefined,
    cause,
  );
  error.details = status.details.map((any) => ({
    type: any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1),
    value: any.value,
    debug: readable(any),
  }));
  return error;
}

/** The detail as the Connect protocol shows it beside the bytes, for people with curl. */
function readable(any: Any): JsonValue {
  const message = anyUnpack(any, detailRegistry);
  const schema = message && detailRegistry.getMessage(message.$typeName);
  return schema ? toJson(schema, message) : {};
}
