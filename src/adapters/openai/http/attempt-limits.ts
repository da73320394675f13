import type { AttemptTimeouts, UpstreamErrorKind } from "../../../core/model.ts";

type TimeoutKind = Extract<UpstreamErrorKind, "first_byte_timeout" | "idle_timeout" | "attempt_timeout">;

/** `setTimeout` runs a longer delay at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The limits of one attempt as one abort signal: it fires when the caller's signal does, or when a limit is passed.
 * They are real timers rather than the clock's, because what they guard are real sockets.
 */
export class AttemptLimits {
  readonly #caller: AbortSignal;
  readonly #controller = new AbortController();
  readonly #onCallerAbort = () => this.#controller.abort(this.#caller.reason);
  #attempt: NodeJS.Timeout;
  readonly #firstByte: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #idleMs: number;
  #isWaiting = false;
  /** Since when nobody asks for the next piece; `undefined` before the first and while one is asked for. */
  #pausedSinceMs: number | undefined;
  /** How long nobody asked, within the time that `#attempt` counts. */
  #pausedMs = 0;
  #expired: TimeoutKind | undefined;

  /**
   * An answer that is not streamed has no first byte before it is complete, so there `firstByteMs` has no meaning and
   * is not used.
   */
  constructor(timeouts: AttemptTimeouts, isStreamed: boolean, caller: AbortSignal) {
    this.#caller = caller;
    this.#idleMs = timeouts.idleMs;
    this.#attempt = setTimeout(() => this.#attemptOver(), bounded(timeouts.attemptMs));
    this.#firstByte = isStreamed ? this.#timer(timeouts.firstByteMs, "first_byte_timeout") : undefined;
    caller.addEventListener("abort", this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The limit that was passed; `undefined` while none was. */
  get expired(): TimeoutKind | undefined {
    return this.#expired;
  }

  /** Whether the caller does not want the answer any more. */
  get isAborted(): boolean {
    return this.#caller.aborted;
  }

  /** The first byte of the answer is there. */
  answerBegan(): void {
    clearTimeout(this.#firstByte);
  }

  /** The model is done; what may still come (its usage) is not worth waiting for longer than this. */
  shortenIdle(idleMs: number): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.#idleMs = Math.min(this.#idleMs, idleMs);
  }

  /**
   * Waits for the next piece of a body. Only this waiting counts as idle, and the time that a slow reader takes between
   * is none of the attempt's: the provider is not to blame for it.
   */
  async piece<T>(next: () => Promise<T>): Promise<T> {
    this.#isWaiting = true;
    this.#countPause();
    this.#pausedSinceMs = undefined;
    if (this.#idle) this.#idle.refresh();
    else this.#idle = setTimeout(() => this.#isWaiting && this.#expire("idle_timeout"), bounded(this.#idleMs));
    try {
      return await next();
    } finally {
      this.#isWaiting = false;
      this.#pausedSinceMs = performance.now();
    }
  }

  /** Ends all timers. The signal does not fire afterwards. */
  end(): void {
    clearTimeout(this.#attempt);
    clearTimeout(this.#firstByte);
    clearTimeout(this.#idle);
    this.#caller.removeEventListener("abort", this.#onCallerAbort);
  }

  #countPause(): void {
    if (this.#pausedSinceMs === undefined) return;
    const nowMs = performance.now();
    this.#pausedMs += nowMs - this.#pausedSinceMs;
    this.#pausedSinceMs = nowMs;
  }

  /** What was spent on pauses is given back. Less than a millisecond is what any reader takes. */
  #attemptOver(): void {
    this.#countPause();
    const owedMs = this.#pausedMs;
    this.#pausedMs = 0;
    if (owedMs < 1) this.#expire("attempt_timeout");
    else this.#attempt = setTimeout(() => this.#attemptOver(), bounded(owedMs));
  }

  #timer(delayMs: number, kind: TimeoutKind): NodeJS.Timeout {
    return setTimeout(() => this.#expire(kind), bounded(delayMs));
  }

  #expire(kind: TimeoutKind): void {
    this.#expired ??= kind;
    this.#controller.abort(new Error(kind));
  }
}

function bounded(delayMs: number): number {
  return Math.min(Math.max(delayMs, 0), MAX_TIMER_MS);
}
