import { create, createRegistry, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  file_google_rpc_error_details,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.ts";
import { file_sluice_v1_error_detail } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { FieldViolation } from "../../core/failure.ts";
import { type DetailRoom, excerpt, firstOf } from "./detail-room.ts";

/** The `domain` of every ErrorInfo. */
export const ERROR_DOMAIN = "sluice.v1";

/** The types of every detail. */
export const detailRegistry = createRegistry(file_google_rpc_error_details, file_sluice_v1_error_detail);

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
      description: excerpt(plainWords(violation), room),
      reason: upperSnakeCase(violation.rule),
    })),
  });
}

/** What the rules of protobuf say in words that only their engineers know, in those of everybody. */
function plainWords({ rule, description }: FieldViolation): string {
  if (rule === "enum.not_in") return "must be set";
  if (rule === "enum.defined_only") return "is a number that the enum does not have";
  if (rule === "required" && description.includes("oneof")) return "exactly one of its fields must be set";
  return description;
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
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .slice(0, 63)
    .replace(/^[_0-9]+|_+$/g, "");
}
