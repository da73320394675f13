import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.ts";
import type { FieldViolation } from "../../core/failure.ts";
import { type DetailRoom, excerpt, firstOf } from "./detail-room.ts";

/** The `domain` of every ErrorInfo. */
export const ERROR_DOMAIN = "sluice.v1";

export function detail<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

export function errorInfo(reason: string, callId: string): Any {
  return detail(ErrorInfoSchema, { reason, domain: ERROR_DOMAIN, metadata: callId ? { call_id: callId } : {} });
}

export function badRequest(violations: readonly FieldViolation[], room: DetailRoom): Any {
  return detail(BadRequestSchema, {
    fieldViolations: firstOf(violations, room, (violation) => ({
      field: excerpt(violation.field, room),
      description: excerpt(violation.description, room),
      reason: upperSnakeCase(violation.rule),
    })),
  });
}

export function retryInfo(waitMs: number): Any {
  const seconds = Math.floor(waitMs / 1000);
  return detail(RetryInfoSchema, {
    retryDelay: { seconds: BigInt(seconds), nanos: Math.round((waitMs - seconds * 1000) * 1e6) },
  });
}

export function quotaFailure(subject: string, description: string, room: DetailRoom): Any {
  return detail(QuotaFailureSchema, {
    violations: [{ subject: excerpt(subject, room), description: excerpt(description, room) }],
  });
}

/** error_details.proto: a field violation's reason is at most 63 characters of `[A-Z][A-Z0-9_]+[A-Z0-9]`. */
function upperSnakeCase(rule: string): string {
  return rule
    .slice(0, 63)
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^[_0-9]+|_+$/g, "");
}
