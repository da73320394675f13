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
/** Names in one question. */
const MAX_NAMES = 1_000;

interface Question {
  readonly bucket: MoneyBucket;
  readonly beforeMs: number;
  readonly isRepeated: boolean;
  readonly answer: (amount: number) => void;
}

/**
 * Asks the ledger in the background what was spent before a bucket was made here: two questions at a time, each with all
 * names of a tenant, scope and period that wait. Tenants take turns.
 */
export class Seeds {
  readonly #ledger: SpentLedger;
  readonly #clock: Clock;
  readonly #log: Log;
  /** By tenant, scope and period; whose turn it is first. */
  readonly #waiting = new Map<string, Question[]>();
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
    const seed: NonNullable<MoneyBucket["seed"]> = { soon, isAnswered: false };
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
    this.#waiting.clear();
    for (const callOff of this.#timers) callOff();
    this.#timers.clear();
  }

  /** What else is asked in this turn goes along. */
  #enqueue(question: Question): void {
    if (this.#isClosed) return;
    const { tenant, rule, period } = question.bucket;
    const group = JSON.stringify([tenant, rule.rule.scope, period.startMs]);
    const waiting = this.#waiting.get(group);
    if (waiting) waiting.push(question);
    else this.#waiting.set(group, [question]);
    queueMicrotask(() => this.#next());
  }

  #next(): void {
    while (!this.#isPaused && this.#asking < MAX_CONCURRENT) {
      const [first] = this.#waiting;
      if (!first) return;
      const [group, waiting] = first;
      this.#waiting.delete(group);
      if (waiting.length > MAX_NAMES) this.#waiting.set(group, waiting.slice(MAX_NAMES));
      this.#asking += 1;
      void this.#put(group, waiting.slice(0, MAX_NAMES)).finally(() => {
        this.#asking -= 1;
        this.#next();
      });
    }
  }

  async #put(group: string, questions: readonly Question[]): Promise<void> {
    const [bucket] = questions.map((question) => question.bucket);
    // Of a period that is over nobody asks any more.
    if (!bucket || this.#clock.nowMs() >= bucket.period.endMs) return;
    try {
      const names = questions.map((question) => ({ name: question.bucket.name, toMs: question.beforeMs }));
      const { tenant, rule, period } = bucket;
      const spent = await this.#ledger.spentSince(tenant, rule.rule.scope, period.startMs, names);
      if (this.#isClosed) return;
      this.#failures = 0;
      for (const [index, question] of questions.entries()) this.#answer(question, toAmount(spent[index] ?? 0n));
    } catch (error) {
      if (this.#isClosed) return;
      // While the database opens this is to be expected; what is said later is that it stays away.
      if (this.#failures++ === 5) this.#log.warn("budget_seeding_fails", { error });
      this.#waiting.set(group, [...questions, ...(this.#waiting.get(group) ?? [])]);
      this.#isPaused = true;
      this.#after(Math.min(RETRY_MIN_MS * 2 ** Math.min(this.#failures - 1, 10), RETRY_MAX_MS), () => {
        this.#isPaused = false;
        this.#next();
      });
    }
  }

  #answer(question: Question, amount: number): void {
    const { bucket, isRepeated } = question;
    question.answer(amount);
    if (isRepeated) return;
    const callOff = this.#after(AGAIN_MS, () => this.#enqueue({ ...question, isRepeated: true }));
    if (bucket.seed) bucket.seed.callOff = callOff;
  }

  #after(delayMs: number, callback: () => void): CallOff {
    const callOff = after(this.#clock, delayMs, () => {
      this.#timers.delete(callOff);
      callback();
    });
    this.#timers.add(callOff);
    return () => {
      this.#timers.delete(callOff);
      callOff();
    };
  }
}
