import type { Deadline } from "../../core/deadline.ts";
import type { UpstreamErrorFields } from "../../core/model.ts";

/** What every request to a model passes. */
export interface ModelGate {
  /**
   * Waits for a free slot where all are taken, within the deadline. Rejects with the signal's reason when it is aborted,
   * also while it waits.
   */
  enter(wait: { readonly deadline: Deadline; readonly signal: AbortSignal }): Promise<Admission>;
}

/** Whether a request may be sent now. Waits are in whole milliseconds, rounded up. */
export type Admission =
  | { readonly kind: "admitted"; readonly pass: Pass }
  /** The provider asked everybody to wait. */
  | {
      readonly kind: "cooling";
      /** When to ask again: the told wait and this caller's own place in the spread. */
      readonly waitMs: number;
      /** What is left of the told wait itself. It may be longer than calls are kept away, which is a minute at most. */
      readonly toldMs: number;
      /** The failure that told it. */
      readonly error: UpstreamErrorFields;
    }
  /** The circuit is open, or half-open with a probe under way. */
  | { readonly kind: "circuit_open"; readonly retryAfterMs: number }
  /** The queue is full, or so long that the deadline would be over before this call's turn. */
  | { readonly kind: "queue_full"; readonly limit: number; readonly retryAfterMs: number };

/** A request that may be sent, and the slot that it holds until its end. */
export interface Pass {
  /**
   * The provider answers: the first piece of an answer came, or an answer that is no failure of the server. Closes a
   * half-open circuit.
   */
  alive(): void;
  /**
   * Ends it and frees the slot; later calls do nothing. Undefined: answered well. "abandoned": no verdict, since the
   * caller left or the fault is ours; a probe that is abandoned leaves the circuit half-open for the next one.
   */
  end(outcome: UpstreamErrorFields | "abandoned" | undefined): void;
}
