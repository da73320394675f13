import type { ConnectError } from "@connectrpc/connect";
import { Stage } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { Call, Caller } from "../../core/call.ts";
import { after, type CallOff, type Clock } from "../../core/clock.ts";
import { type Deadline, deadlineAfter } from "../../core/deadline.ts";
import { type Failure, SluiceError } from "../../core/failure.ts";
import type { Log } from "../../core/log.ts";
import { toConnectError } from "../status.ts";

const NONE: readonly ConnectError[] = [];

export interface CallScopeInit {
  readonly id: string;
  /** `package.Service/Method`, for the log. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** What one request holds from its headers to its end: id, deadline, signal, and whatever must be given back. */
export class CallScope {
  readonly id: string;
  readonly #init: CallScopeInit;
  /** Made when somebody looks at the signal: a controller costs more than all the rest of a scope. */
  #controller: AbortController | undefined;
  #stopDeadline: CallOff = () => {};
  #stopGrace: CallOff = () => {};
  /** Few, and seldom any: a set for every call would cost more than a call. */
  #issued: readonly ConnectError[] = NONE;
  #phase: "decoding" | "handling" | "over" = "decoding";
  #call: Call | undefined;
  #graceMs = 0;
  #release: () => void = () => {};
  #abandon: () => void = () => {};
  #conclude: () => void = () => {};
  /** Rejects the one piece of work that is waited for. */
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(init: CallScopeInit) {
    this.id = init.id;
    this.#init = init;
  }

  /** The call, once it is set up; `undefined` for health and reflection, which are no calls. */
  get call(): Call | undefined {
    return this.#call;
  }

  /** Aborted when the caller leaves or does not read, or the deadline is over, never by a call that ends well. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** `package.Service/Method`. */
  get path(): string {
    return this.#init.path;
  }

  get phase(): "decoding" | "handling" | "over" {
    return this.#phase;
  }

  /** Starts the clock of the call. `release` is called exactly once, when the call is over. */
  open(caller: Caller, method: string, timeoutMs: number, release: () => void): void {
    const deadline = deadlineAfter(this.#init.clock, timeoutMs);
    this.#release = release;
    // A quarter of the deadline's margin, at most 50 ms: the handler's own error may use it, ours must still arrive.
    this.#graceMs = Math.min(timeoutMs / 40, 50);
    const signal = () => this.signal;
    this.#call = {
      ...{ id: this.id, caller, method, deadline },
      get signal() {
        return signal();
      },
    };
    this.#expire(deadline);
  }

  #expire(deadline: Deadline): void {
    this.#stopDeadline = after(this.#init.clock, deadline.remainingMs(), () => {
      // Timers may fire a little early, and stages ask the deadline itself.
      if (deadline.remainingMs() > 0) this.#expire(deadline);
      else this.#interrupt(told("DEADLINE_EXCEEDED"));
    });
  }

  /** The request was read and its handler begins. */
  enter(): void {
    if (this.#phase === "decoding") this.#phase = "handling";
  }

  /** What ends the handler's stream, should the call be over before it. */
  abandonWith(abandon: () => void): void {
    this.#abandon = abandon;
  }

  /**
   * What is told at once of an interruption other than the caller's leaving: who reads the request gives up, and the
   * handler's stream is asked for its last word where its reader is busy.
   */
  concludeWith(conclude: () => void): void {
    this.#conclude = conclude;
  }

  /** The handler is done, well or not, or no longer waited for. */
  leave(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#stopDeadline();
    this.#stopGrace();
    this.#release();
    this.#abandon();
  }

  /** The transport is done with the request: it was answered, it could not be read, or the caller left. */
  transportEnded(): void {
    if (this.#phase === "handling")
      this.#interrupt(told(this.#call?.deadline.remainingMs() === 0 ? "DEADLINE_EXCEEDED" : "CANCELLED"));
    else this.leave();
  }

  /** The caller does not read its stream: nothing more is made for it. Does nothing once the handler is done. */
  readerStalled(limitMs: number): void {
    if (this.#phase === "handling") this.#interrupt({ reason: "SLOW_READER", limitMs });
  }

  /**
   * Waits for work of the handler. Once the signal is aborted the handler has a moment to say in its own error how far
   * it came; then it is no longer waited for. One piece of work at a time.
   */
  bounded<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      work.then(resolve, reject);
    });
  }

  /** The same for work that tells its end itself: who waits for it is told when it is no longer waited for. */
  giveUpWith(giveUp: (reason: unknown) => void): void {
    this.#giveUp = giveUp;
  }

  #interrupt(failure: Failure): void {
    const { signal } = this;
    if (signal.aborted) return;
    this.#controller?.abort(new SluiceError(failure));
    this.#stopDeadline();
    this.#stopGrace = after(this.#init.clock, this.#graceMs, () => {
      this.#giveUp?.(signal.reason);
      // Nobody may ask for the next message of a stream whose caller is gone.
      this.leave();
    });
    // A caller who left hears no last word: its stream is abandoned.
    if (failure.reason !== "CANCELLED") this.#conclude();
  }

  /** Tells a failure to the caller. Bugs are logged here, once, with their cause, and told as INTERNAL. */
  issue(thrown: unknown): ConnectError {
    const failure = this.#failureOf(thrown);
    if (failure.reason === "INTERNAL") {
      this.#init.log.error("internal_error", { call_id: this.id, rpc: this.#init.path, error: thrown });
    }
    const error = toConnectError(failure, this.id, thrown);
    this.#issued = [...this.#issued, error];
    return error;
  }

  /** Whether an error is one of ours, complete with its details. */
  hasIssued(error: ConnectError): boolean {
    return this.#issued.includes(error);
  }

  #failureOf(thrown: unknown): Failure {
    if (thrown instanceof SluiceError) return thrown.failure;
    const reason: unknown = this.#controller?.signal.reason;
    if (isAbort(thrown) && reason instanceof SluiceError) return reason.failure;
    return { reason: "INTERNAL" };
  }
}

function told(reason: "DEADLINE_EXCEEDED" | "CANCELLED"): Failure {
  return { reason, stage: Stage.UNSPECIFIED, attempts: [] };
}

/** Whether an error is what platform APIs throw for an aborted signal. */
function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.name === "TimeoutError");
}
