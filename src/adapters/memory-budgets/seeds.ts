import type { SpentLedger } from "../../core/budgets.ts";
import { after, type CallOff, type Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { toAmount } from "./amount.ts";
import type { MoneyBucket } from "./book.ts";

/** How long a call waits for the ledger at the first use of a bucket. */
const CALL_WAIT_MS = 50;
/** Records of before may still have been on their way to the database: it is asked once more. */
const AGAIN_MS = 15_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;
const MAX_CONCURRENT = 2;

interface Question {
  readonly bucket: MoneyBucket;
  readonly beforeMs: number;
  readonly isRepeated: boolean;
  readonly answer: (amount: number) => void;
}

/** Asks the ledger in the background what was spent before a bucket was made here: a few questions at a time. */
export class Seeds {
  readonly #ledger: SpentLedger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #questions: Question[] = [];
  readonly #timers = new Set<CallOff>();
  #asking = 0;
  #failures = 0;
  #isPaused = false;
  #isClosed = false;

  constructor(ledger: SpentLedger, ports: { readonly clock: Clock; readonly log: Log }) {
    this.#ledger = ledger;
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  /**
   * Asks what was spent of the bucket before `beforeMs`; `answer` may be called twice, the second time with what arrived
   * in the ledger late. Sets `bucket.seed`, whose `soon` is over after at most 50 ms.
   */
  ask(bucket: MoneyBucket, beforeMs: number, answer: (amount: number) => void): void {
    const { promise: soon, resolve } = Promise.withResolvers<void>();
    const seed = { soon, isAnswered: false };
    bucket.seed = seed;
    const callOff = after(this.#clock, CALL_WAIT_MS, resolve);
    this.#enqueue({
      bucket,
      beforeMs,
      isRepeated: false,
      answer: (amount) => {
        callOff();
        seed.isAnswered = true;
        answer(amount);
        resolve();
      },
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#questions.length = 0;
    for (const callOff of this.#timers) callOff();
    this.#timers.clear();
  }

  #enqueue(question: Question): void {
    if (this.#isClosed) return;
    this.#questions.push(question);
    this.#next();
  }

  #next(): void {
    while (!this.#isPaused && this.#asking < MAX_CONCURRENT) {
      const question = this.#questions.shift();
      if (!question) return;
      this.#asking += 1;
      void this.#put(question).finally(() => {
        this.#asking -= 1;
        this.#next();
      });
    }
  }

  async #put(question: Question): Promise<void> {
    const { bucket, beforeMs } = question;
    const { period, rule, tenant, name } = bucket;
    // Of a period that is over nobody asks any more.
    if (this.#clock.nowMs() >= period.endMs) return;
    try {
      const spent = await this.#ledger.spentSince(tenant, rule.rule.scope, name, period.startMs, beforeMs);
      if (this.#isClosed) return;
      this.#failures = 0;
      question.answer(toAmount(spent));
      if (!question.isRepeated) this.#after(AGAIN_MS, () => this.#enqueue({ ...question, isRepeated: true }));
    } catch (error) {
      if (this.#isClosed) return;
      // While the database opens this is to be expected; what is said later is that it stays away.
      if (this.#failures++ === 5) this.#log.warn("budget_seeding_fails", { error });
      this.#questions.unshift(question);
      this.#isPaused = true;
      this.#after(Math.min(RETRY_MIN_MS * 2 ** Math.min(this.#failures - 1, 10), RETRY_MAX_MS), () => {
        this.#isPaused = false;
        this.#next();
      });
    }
  }

  #after(delayMs: number, callback: () => void): void {
    const callOff = after(this.#clock, delayMs, () => {
      this.#timers.delete(callOff);
      callback();
    });
    this.#timers.add(callOff);
  }
}
