import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type { Failure } from "./failure.ts";

/** What a call with an idempotency key came to: an answer, or a failure of which a repetition would only cost again. */
export type Outcome =
  | {
      readonly kind: "completion";
      readonly completion: Completion /** Whether JSON was asked for. */;
      readonly isJson: boolean;
    }
  | { readonly kind: "failure"; readonly failure: Failure };

/** The one whose outcome counts, among the calls with one key. */
export interface IdempotentTurn {
  readonly kind: "turn";
  /** Whether a process that had the turn before went away without an outcome. */
  readonly isTakenOver: boolean;
  /**
   * Keeps the outcome for all that repeat the call. Resolves when it is kept, at the latest after a moment; it is then
   * tried again beside the calls. Never rejects.
   */
  keep(outcome: Outcome): Promise<void>;
  /** There is no outcome worth keeping: whoever repeats the call makes it anew. Never rejects. */
  release(): Promise<void>;
}

export interface IdempotencyKey {
  readonly tenant: string;
  readonly key: string;
  /** SHA-256 of the canonical request, lower-case hex. */
  readonly requestHash: string;
  readonly callId: string;
}

/** Calls by their idempotency keys, in a store that outlives processes and is shared by all of them. */
export interface IdempotentCalls {
  /**
   * Takes the turn, or waits for the outcome of the call that has it.
   * @throws SluiceError IDEMPOTENCY_CONFLICT for the same key with another request; STORE_UNAVAILABLE when the store is
   *   away; the signal's reason.
   */
  begin(key: IdempotencyKey, signal: AbortSignal): Promise<IdempotentTurn | Outcome>;
}
