import { after, type CallOff, type Clock } from "../../core/clock.ts";
import { plus } from "./amount.ts";
import type { MoneyBucket, RateBucket } from "./book.ts";
import type { Batch, MoneyChange, RateChange, Removal, SharedBudgets, SharedMoney } from "./shared-budgets.ts";

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;
/** What one batch holds at most, so that it is a matter of moments for Redis. */
const MAX_BUCKETS = 32;
const MAX_REMOVALS = 64;
/** Reservations whose end waits to be told, per tenant; one more ends in Redis by itself, as its estimate. */
const MAX_WAITING_REMOVALS = 20_000;

interface Waiting {
  spent: number;
  unpriced: number;
  removals: Removal[];
  seed?: { readonly epoch: string; readonly amount: number };
}

/** Changes of one tenant's buckets on their way to Redis: added up for each bucket, sent one batch after the other. */
export class Outbox {
  readonly #tenant: string;
  readonly #shared: SharedBudgets;
  readonly #clock: Clock;
  readonly #onTold: (bucket: MoneyBucket, told: SharedMoney) => void;
  readonly #money = new Map<MoneyBucket, Waiting>();
  readonly #rates = new Map<RateBucket, number>();
  #removals = 0;
  #sequence = 0;
  /** What was sent and not answered; it may have arrived, so it is sent again as it is. */
  #batch?: Batch;
  #sending?: Promise<void>;
  #failures = 0;
  #callOff?: CallOff;

  constructor(
    tenant: string,
    ports: {
      readonly shared: SharedBudgets;
      readonly clock: Clock;
      readonly onTold: (bucket: MoneyBucket, told: SharedMoney) => void;
    },
  ) {
    this.#tenant = tenant;
    this.#shared = ports.shared;
    this.#clock = ports.clock;
    this.#onTold = ports.onTold;
  }

  /** Nothing waits, and nothing is under way. */
  get isEmpty(): boolean {
    return !this.#batch && this.#money.size === 0 && this.#rates.size === 0;
  }

  spent(bucket: MoneyBucket, change: { readonly spent: number; readonly unpriced: number; removal?: Removal }): void {
    const isRemovalOnly = change.spent === 0 && change.unpriced === 0;
    if (isRemovalOnly && this.#removals >= MAX_WAITING_REMOVALS) return;
    const waiting = this.#waiting(bucket);
    waiting.spent += change.spent;
    waiting.unpriced += change.unpriced;
    if (change.removal && this.#removals < MAX_WAITING_REMOVALS) {
      waiting.removals.push(change.removal);
      this.#removals += 1;
    }
    this.#wake();
  }

  seeded(bucket: MoneyBucket, epoch: string, amount: number): void {
    this.#waiting(bucket).seed = { epoch, amount };
    this.#wake();
  }

  corrected(bucket: RateBucket, units: number): void {
    this.#rates.set(bucket, (this.#rates.get(bucket) ?? 0) + units);
    this.#wake();
  }

  /** Sends what waits, once: for the end of the process. */
  async flush(): Promise<void> {
    while (!this.isEmpty) {
      this.#callOff?.();
      await (this.#sending ?? this.#send());
      if (this.#failures > 0) return;
    }
  }

  close(): void {
    this.#callOff?.();
  }

  #waiting(bucket: MoneyBucket): Waiting {
    const waiting = this.#money.get(bucket) ?? { spent: 0, unpriced: 0, removals: [] };
    this.#money.set(bucket, waiting);
    return waiting;
  }

  /** What else ends in this turn goes along. */
  #wake(): void {
    if (this.#sending || this.#failures > 0) return;
    this.#sending = Promise.resolve().then(() => this.#send());
  }

  #send(): Promise<void> {
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
      // What came after the last look.
      if (!this.isEmpty) this.#wake();
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (!this.isEmpty) {
      this.#batch ??= this.#next();
      const told = await this.#shared.settle(this.#batch);
      if (!told) {
        this.#retryLater();
        return;
      }
      this.#failures = 0;
      this.#confirmed(this.#batch, told);
      this.#batch = undefined;
    }
  }

  #retryLater(): void {
    this.#failures += 1;
    this.#callOff?.();
    const delayMs = Math.min(RETRY_MIN_MS * 2 ** Math.min(this.#failures - 1, 10), RETRY_MAX_MS);
    this.#callOff = after(this.#clock, delayMs, () => {
      if (!this.#sending) void this.#send();
    });
  }

  #next(): Batch {
    const money: MoneyChange[] = [];
    for (const [bucket, waiting] of this.#money) {
      if (money.length === MAX_BUCKETS) break;
      const removals = waiting.removals.slice(0, MAX_REMOVALS);
      money.push({ ...waiting, bucket, removals });
      this.#removals -= removals.length;
      const rest = waiting.removals.slice(MAX_REMOVALS);
      if (rest.length === 0) this.#money.delete(bucket);
      else this.#money.set(bucket, { spent: 0, unpriced: 0, removals: rest });
    }
    const rates: RateChange[] = [...this.#rates].slice(0, MAX_BUCKETS).map(([bucket, units]) => ({ bucket, units }));
    for (const { bucket } of rates) this.#rates.delete(bucket);
    this.#sequence += 1;
    return { tenant: this.#tenant, sequence: this.#sequence, money, rates };
  }

  #confirmed({ money }: Batch, told: readonly SharedMoney[]): void {
    for (const [index, { bucket, spent, unpriced, removals }] of money.entries()) {
      bucket.spent -= spent;
      bucket.unpriced -= unpriced;
      for (const { amount, epoch } of removals) {
        if (epoch !== "" && epoch === bucket.epoch) bucket.covered = plus(bucket.covered, -amount);
      }
      const now = told[index];
      if (now) this.#onTold(bucket, now);
    }
  }
}
