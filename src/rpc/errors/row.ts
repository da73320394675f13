import type { Any } from "@bufbuild/protobuf/wkt";
import type { Code } from "@connectrpc/connect";
import type { Failure, FailureReason } from "../../core/failure.ts";
import type { DetailRoom } from "./detail-room.ts";

/** The member of the union that has a reason; several reasons may share one member. */
export type FailureWith<R extends FailureReason, F = Failure> = F extends { readonly reason: infer Q }
  ? R extends Q
    ? F
    : never
  : never;

/** How one reason is told to callers. */
export interface ErrorRow<F> {
  readonly code: Code;
  /** What happened and what to do about it. Never quotes the request, the model or a credential. */
  readonly message: string | ((failure: F) => string);
  /** The documented details besides ErrorInfo and RetryInfo. */
  readonly details?: (failure: F, room: DetailRoom) => Any[];
  /** The wait in milliseconds where waiting helps. Absent or undefined: a retry of the same request is pointless. */
  readonly waitMs?: (failure: F) => number | undefined;
}

export type ErrorTable = { readonly [R in FailureReason]: ErrorRow<FailureWith<R>> };
