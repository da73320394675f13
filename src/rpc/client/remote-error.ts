import type { ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { ParseFailureDetailSchema, UnknownNameDetailSchema } from "../../../gen/sluice/v1/error_detail_pb.ts";

/** A failure that a server sent, as far as a person at a terminal can use it. */
export interface RemoteFailure {
  /** Such as RATE_LIMITED; one that this version does not know is possible. */
  readonly reason: string;
  readonly message: string;
  /** Empty where the server sent none. */
  readonly callId: string;
  readonly retryAfterMs?: number;
  /** What is wrong with the request or with the model's answer, `where: what`. */
  readonly violations: readonly string[];
  /** Names that exist and are spelled like an unknown one. */
  readonly nearest: readonly string[];
}

export class RemoteError extends Error {
  readonly failure: RemoteFailure;

  constructor(failure: RemoteFailure, options?: { cause?: unknown }) {
    super(`${failure.reason}: ${failure.message}`, options);
    this.name = "RemoteError";
    this.failure = failure;
  }
}

/** Nothing answers at the address, or something that is no Sluice. */
export class NoServerError extends Error {
  readonly url: string;

  constructor(url: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "NoServerError";
    this.url = url;
  }
}

/** Undefined where the error does not come from a Sluice: every failure of one carries a reason of its domain. */
export function remoteFailure(error: ConnectError): RemoteFailure | undefined {
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === "sluice.v1");
  if (info === undefined) return undefined;
  const [retry] = error.findDetails(RetryInfoSchema);
  const delay = retry?.retryDelay;
  return {
    reason: info.reason,
    message: error.rawMessage,
    callId: info.metadata.call_id ?? "",
    ...(delay === undefined ? {} : { retryAfterMs: Number(delay.seconds) * 1000 + Math.round(delay.nanos / 1e6) }),
    violations: violationsOf(error),
    nearest: error.findDetails(UnknownNameDetailSchema).flatMap(({ nearest }) => nearest),
  };
}

function violationsOf(error: ConnectError): string[] {
  const fields = error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations.map(({ field, description }) => `${field}: ${description}`));
  const answers = error
    .findDetails(ParseFailureDetailSchema)
    .flatMap(({ violations }) =>
      violations.map(
        ({ path, expected, got }) => `${path === "" ? "the answer" : path}: expected ${expected}, got ${got}`,
      ),
    );
  return [...fields, ...answers];
}
