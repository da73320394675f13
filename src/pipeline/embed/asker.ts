import type { Attempt } from "../../../gen/sluice/v1/attempt_pb.ts";
import type { Call } from "../../core/call.ts";
import type { Deadline } from "../../core/deadline.ts";
import { type Failure, SluiceError } from "../../core/failure.ts";
import type { Charges } from "../charge.ts";
import type { TextWork } from "./work.ts";

/** Who asks, and pays. */
export interface AskerJob {
  readonly call: Call;
  readonly charges: Charges;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  readonly fieldOf?: (index: number) => string;
}

/** A request that an asker pays for. */
interface Bill {
  /** Never rejects. */
  readonly ended: Promise<void>;
  /** Aborted where it goes on for nobody. */
  readonly signal: AbortSignal;
}

/** A call that waits for texts: it fails as a whole, and leaves at once when its signal aborts. */
export class Asker {
  readonly job: AskerJob;
  readonly #waitsFor = new Set<TextWork>();
  readonly #paidFor = new Set<TextWork>();
  readonly #bills = new Set<Bill>();
  readonly #outcome = Promise.withResolvers<void>();
  readonly #onAbort = () => this.leave(this.job.signal.reason);
  /** Whether it is known of all its texts that it waits for them. */
  #isComplete = false;
  #isDone = false;

  constructor(job: AskerJob) {
    this.job = job;
    // Whoever has no text to wait for never asks how it went.
    this.#outcome.promise.catch(() => {});
    job.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** It waits for no further texts. Resolves when all its texts have vectors. Rejects with the failure of the first that has none, or with the signal's reason. */
  done(): Promise<void> {
    this.#isComplete = true;
    if (this.#waitsFor.size === 0) this.#finish();
    return this.#outcome.promise;
  }

  /** The requests that are not charged yet. */
  get openBills(): readonly Bill[] {
    return [...this.#bills];
  }

  get attempts(): readonly Attempt[] {
    return this.job.charges.total().attempts;
  }

  fieldOf(index: number): string {
    return this.job.fieldOf?.(index) ?? `texts[${index}]`;
  }

  /** @param index of the text in what it asks. */
  waitFor(work: TextWork, index: number): void {
    if (this.#isDone) return;
    this.#waitsFor.add(work);
    work.join(this, index);
    if (work.wait) this.waits(work.wait);
  }

  /** A text of it is about to wait. Others may have the time; a caller who has not is told at once. */
  waits({ remainingMs, failure }: { remainingMs(): number; readonly failure: Failure }): void {
    if (remainingMs() >= this.job.deadline.remainingMs()) this.fail(this.own(failure));
  }

  /** A failure that another call met, with what this one has paid for. */
  own(failure: Failure): Failure {
    return "attempts" in failure ? { ...failure, attempts: this.attempts } : failure;
  }

  answered(work: TextWork): void {
    this.#waitsFor.delete(work);
    if (this.#isComplete && this.#waitsFor.size === 0) this.#finish();
  }

  fail(failure: Failure): void {
    this.leave(new SluiceError(failure));
  }

  leave(error: unknown): void {
    if (this.#isDone) return;
    this.#end();
    this.#outcome.reject(error);
    for (const work of this.#waitsFor) work.leave(this);
    this.#waitsFor.clear();
  }

  pays(works: readonly TextWork[], bill: Bill): void {
    for (const work of works) this.#paidFor.add(work);
    this.#bills.add(bill);
    void bill.ended.then(() => this.#bills.delete(bill));
  }

  hasPaidFor(work: TextWork): boolean {
    return this.#paidFor.has(work);
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#end();
    this.#outcome.resolve();
  }

  #end(): void {
    this.#isDone = true;
    this.job.signal.removeEventListener("abort", this.#onAbort);
  }
}
