import { ConnectError } from "@connectrpc/connect";
import type { CallScope } from "./call-scope.ts";

/** Waits for the one answer of a handler. What it throws is told by its failure; either way the call is over. */
export async function soleAnswer<T>(scope: CallScope, answer: () => T | PromiseLike<T>): Promise<T> {
  try {
    const value = await scope.bounded(Promise.resolve(answer()));
    scope.leave();
    return value;
  } catch (error) {
    throw ended(error, scope);
  }
}

/** Is told of a message or of the end. Must not throw. */
export interface StepReceiver<T> {
  onStep(step: IteratorResult<T>): void;
  onFailure(error: ConnectError): void;
}

/**
 * The messages of an answer, each waited for as long as the call allows. Ends the call with the last one or with whatever
 * the handler throws. Leaving early, which is what the transport does when the caller is gone, ends the handler too.
 */
export class AnswerMessages<T> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<T>;
  readonly #scope: CallScope;
  #hasEnded = false;
  #isReaderBusy = false;
  #lastWord: Promise<IteratorResult<T>> | undefined;
  /** Who waits for the next message. Told once: what comes after it was given up is nobody's. */
  #receiver: StepReceiver<T> | undefined;
  readonly #onStep = (step: IteratorResult<T>): void => {
    const receiver = this.#received();
    if (!receiver) return;
    if (step.done) {
      this.#hasEnded = true;
      this.#scope.leave();
    } else this.#isReaderBusy = true;
    receiver.onStep(step);
  };
  readonly #onError = (error: unknown): void => this.#received()?.onFailure(ended(error, this.#scope));

  constructor(messages: AsyncIterable<T>, scope: CallScope) {
    this.#source = messages[Symbol.asyncIterator]();
    this.#scope = scope;
    scope.concludeWith(() => this.#conclude());
    // Not awaited: a handler that hangs must not keep the stream from ending.
    scope.abandonWith(() => {
      if (!this.#hasEnded) this.#source.return?.().then(undefined, () => {});
    });
  }

  /** The messages of a handler that is yet to be asked; what it throws at that is told as well. */
  static of<T>(answer: () => AsyncIterable<T>, scope: CallScope): AnswerMessages<T> {
    try {
      return new AnswerMessages(answer(), scope);
    } catch (error) {
      throw ended(error, scope);
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    return new Promise((onStep, onFailure) => this.ask({ onStep, onFailure }));
  }

  /** `next` without a promise: thousands of streams that wait for their models hold little then. One at a time. */
  ask(receiver: StepReceiver<T>): void {
    this.#isReaderBusy = false;
    this.#receiver = receiver;
    this.#scope.giveUpWith(this.#onError);
    try {
      (this.#lastWord ?? this.#source.next()).then(this.#onStep, this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#scope.leave();
    return { done: true, value: undefined };
  }

  /** A failure to write, which is no failure of the handler. */
  async throw(error: unknown): Promise<IteratorResult<T>> {
    this.#scope.leave();
    throw error;
  }

  #received(): StepReceiver<T> | undefined {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    return receiver;
  }

  #conclude(): void {
    if (!this.#isReaderBusy) return;
    this.#lastWord = lastWordOf(this.#source, this.#scope);
    // Told when the reader comes back, if it does.
    this.#lastWord.catch(() => {});
  }
}

/**
 * Ends a call that was interrupted while its reader had a message, without waiting for the reader. A stream whose last
 * message that was has ended well; any other one ends with the handler's own error or with what interrupted it.
 */
async function lastWordOf<T>(source: AsyncIterator<T>, scope: CallScope): Promise<IteratorResult<T>> {
  try {
    const step = await scope.bounded(source.next());
    if (!step.done) throw scope.signal.reason;
    scope.leave();
    return step;
  } catch (error) {
    throw ended(error, scope);
  }
}

/**
 * Ends the scope with an error. The transport's own errors, such as a second message, say enough; everything else is
 * told by its failure. A request that does not decode never reached the handler: the transport's end explains that.
 */
export function ended(error: unknown, scope: CallScope): ConnectError {
  if (error instanceof ConnectError && scope.phase === "decoding") return error;
  scope.leave();
  return error instanceof ConnectError ? error : scope.issue(error);
}
