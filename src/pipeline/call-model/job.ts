import type { Call } from "../../core/call.ts";
import type { Deadline } from "../../core/deadline.ts";
import type { Failure } from "../../core/failure.ts";
import type { BuiltContext } from "../build-context.ts";
import type { Charges } from "../charge.ts";

/** What a call asks of the models. The signal and the deadline are those of the work, which several callers may share. */
export interface ModelJob {
  readonly call: Call;
  readonly context: BuiltContext;
  readonly charges: Charges;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  /** The least time that one of them has: where another model could answer sooner, nobody is made to wait longer. */
  readonly shortestDeadline: Deadline;
  /** Whether another process began the same and went away: its attempts may have to be paid too. */
  readonly isTakenOver: boolean;
}

/** The work is about to wait before its next attempt. */
export interface ModelWait {
  readonly kind: "waiting";
  /** What is left of the wait, whenever it is asked. */
  remainingMs(): number;
  /** What the call fails with for a caller who has less time. */
  readonly failure: Failure;
}
