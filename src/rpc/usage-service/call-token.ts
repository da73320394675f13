import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type ListCallsRequest, ListCallsRequestSchema } from "../../../gen/sluice/v1/usage_service_pb.ts";
import { invalidRequest, SluiceError } from "../../core/failure.ts";
import type { CallPosition } from "../../core/usage.ts";
import { END_OF_TIME_MS, readRange, type TimeRange } from "./range.ts";

/** Where a page begins, and the range that the first page had: one that ends now would grow from page to page. */
export interface CallPage {
  readonly range: TimeRange;
  readonly after: CallPosition;
}

/** Tokens of another format are refused rather than misread. */
const FORMAT = 1;

/** An opaque token that holds only for the same question by the same tenant. */
export function callTokenOf(request: ListCallsRequest, callerTenant: string, { range, after }: CallPage): string {
  const { tenant, callId, calledAtMs, value } = after;
  const content = [range.fromMs, range.toMs, tenant, callId, calledAtMs, String(value)];
  return encode([FORMAT, questionHash(request, callerTenant), ...content]);
}

/**
 * `undefined` for the first page.
 * @throws SluiceError INVALID_REQUEST for `page_token`, where it is none of ours or of another question.
 */
export function readCallToken(request: ListCallsRequest, callerTenant: string): CallPage | undefined {
  if (request.pageToken === "") return undefined;
  const parts = decode(request.pageToken);
  const [format, question, fromMs, toMs, tenant, callId, calledAtMs, value] = parts ?? [];
  if (
    format !== FORMAT ||
    !isTime(fromMs) ||
    !isTime(toMs) ||
    typeof tenant !== "string" ||
    typeof callId !== "string" ||
    !isTime(calledAtMs) ||
    typeof value !== "string" ||
    !/^(-1|[0-9]{1,19})$/.test(value) ||
    BigInt(value) >= 2n ** 63n ||
    `${tenant}${callId}`.includes("\0")
  ) {
    throw refused("must be a next_page_token as it was given, or empty");
  }
  if (question !== questionHash(request, callerTenant)) {
    throw refused("is of another request; all other fields must be as they were, except page_size");
  }
  const range = rangeOf(request, toMs);
  // Tokens are not signed: one that was written by its caller must not ask for what a request may not ask for.
  if (range?.fromMs !== fromMs || range.toMs !== toMs || calledAtMs < fromMs || calledAtMs >= toMs) {
    throw refused("must be a next_page_token as it was given, or empty");
  }
  return { range, after: { tenant, callId, calledAtMs, value: BigInt(value) } };
}

/** What the request meant when the first page was asked; `undefined` where it cannot have been asked then. */
function rangeOf(request: ListCallsRequest, nowMs: number): TimeRange | undefined {
  try {
    return readRange(request, nowMs);
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < END_OF_TIME_MS;
}

/** Everything of a request that decides which calls come in which order. */
function questionHash(request: ListCallsRequest, callerTenant: string): string {
  const question = toBinary(ListCallsRequestSchema, { ...request, pageToken: "", pageSize: 0, $unknown: [] });
  return createHash("sha256").update(callerTenant).update("\0").update(question).digest("base64url").slice(0, 22);
}

function encode(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

function decode(token: string): readonly unknown[] | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return Array.isArray(parts) && encode(parts) === token ? parts : undefined;
  } catch {
    return undefined;
  }
}

function refused(description: string) {
  return invalidRequest("page_token", "page_token", description);
}
