import type { BudgetRule, RateRule } from "../../core/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import { type Period, periodAt } from "./period.ts";
import { type Level, levelAt } from "./rate.ts";
import type { Compiled } from "./rules.ts";

/** Buckets are kept a while longer than their period, for a clock that is set back must not find them empty. */
const KEPT_MS = 3_600_000;
const SWEEP_INTERVAL_MS = 1_000;

interface BucketName {
  readonly tenant: string;
  readonly name: string;
  readonly isOverflow: boolean;
}

/** What one tenant, user, feature or key spends of a budget in a period, as this process sees it. In nano-USD. */
export interface MoneyBucket extends BucketName {
  readonly rule: Compiled<BudgetRule>;
  readonly period: Period;
  readonly limit: number;
  /** What was spent in all: as Redis said last, and without Redis what the ledger said of before. */
  told: number;
  /** What was spent here that `told` does not hold. */
  spent: number;
  /** What attempts of this process hold back. */
  reserved: number;
  /** The part of `reserved`, and of `spent`, that Redis still counts as held back. */
  covered: number;
  /** What attempts of all processes hold back, as Redis said last. */
  toldReserved: number;
  unpriced: number;
  toldUnpriced: number;
  /** Which making of the bucket in Redis `told` is about; another one began anew. */
  epoch: string;
  /** What the ledger is asked; absent where it was not. */
  seed?: { readonly soon: Promise<void>; isAnswered: boolean };
  isNearlySpentLogged: boolean;
  isExceededLogged: boolean;
}

/** Requests or tokens of the last minute. */
export interface RateBucket extends BucketName, Level {
  readonly rule: Compiled<RateRule>;
}

/** Everything that is spent or held back for sure, as this process sees it. */
export function usedOf({ told, spent, reserved }: MoneyBucket): number {
  return told + spent + reserved;
}

/** What this process spent and holds back that the shared bucket does not know of. */
export function uncovered({ spent, reserved, covered }: MoneyBucket): number {
  return Math.max(0, spent + reserved - covered);
}

/**
 * The buckets of this process, at most `maxBuckets`. None is given up before its time is over, for it would begin anew:
 * names that come when it is full share one bucket for each rule and tenant.
 */
export class Book {
  readonly #clock: Clock;
  readonly #maxBuckets: number;
  readonly #onOverflow: (rule: BudgetRule | RateRule, tenant: string) => void;
  readonly #money = new Map<string, MoneyBucket>();
  readonly #rates = new Map<string, RateBucket>();
  #sweepAtMs = 0;

  constructor(options: {
    readonly clock: Clock;
    readonly maxBuckets: number;
    /** Told whenever a name has to share. */
    readonly onOverflow: (rule: BudgetRule | RateRule, tenant: string) => void;
  }) {
    this.#clock = options.clock;
    this.#maxBuckets = options.maxBuckets;
    this.#onOverflow = options.onOverflow;
  }

  get size(): number {
    return this.#money.size + this.#rates.size;
  }

  money(): Iterable<MoneyBucket> {
    return this.#money.values();
  }

  rates(): Iterable<RateBucket> {
    return this.#rates.values();
  }

  /** The bucket of a name for the period that is now. */
  moneyOf(rule: Compiled<BudgetRule>, tenant: string, name: string): MoneyBucket {
    const period = periodAt(rule.rule.per, this.#clock.nowMs());
    const key = `${rule.key}/${period.key}/${tenant}/n${name}`;
    const known = this.#money.get(key);
    if (known) return known;
    if (!this.#hasRoom()) return this.overflowOf(rule, tenant);
    const bucket = newBucket(rule, period, { tenant, name, isOverflow: false });
    this.#money.set(key, bucket);
    return bucket;
  }

  /** The bucket of all names that have none of their own. */
  overflowOf(rule: Compiled<BudgetRule>, tenant: string): MoneyBucket {
    this.#onOverflow(rule.rule, tenant);
    const period = periodAt(rule.rule.per, this.#clock.nowMs());
    const key = `${rule.key}/${period.key}/${tenant}/o`;
    const bucket = this.#money.get(key) ?? newBucket(rule, period, { tenant, name: "", isOverflow: true });
    this.#money.set(key, bucket);
    return bucket;
  }

  rateOf(rule: Compiled<RateRule>, tenant: string, name: string): RateBucket {
    const own = `${rule.key}/${tenant}/n${name}`;
    const known = this.#rates.get(own);
    if (known) return known;
    const isOverflow = !this.#hasRoom();
    if (isOverflow) this.#onOverflow(rule.rule, tenant);
    const key = isOverflow ? `${rule.key}/${tenant}/o` : own;
    const atMs = this.#clock.monotonicMs();
    const bucket = this.#rates.get(key) ?? { rule, tenant, name: isOverflow ? "" : name, isOverflow, level: 0, atMs };
    this.#rates.set(key, bucket);
    return bucket;
  }

  #hasRoom(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const isFull = this.size >= this.#maxBuckets;
    // A look at all of them, so not for each new name.
    if (isFull && nowMs >= this.#sweepAtMs) {
      this.#sweepAtMs = nowMs + SWEEP_INTERVAL_MS;
      this.sweep();
    }
    return this.size < this.#maxBuckets;
  }

  /** Forgets budgets of periods that are over, and limits that are as good as new. Whoever holds a bucket keeps it. */
  sweep(): void {
    const [nowMs, monotonicMs] = [this.#clock.nowMs(), this.#clock.monotonicMs()];
    for (const [key, { period }] of this.#money) if (period.endMs + KEPT_MS <= nowMs) this.#money.delete(key);
    for (const [key, bucket] of this.#rates) {
      if (levelAt(bucket, bucket.rule.rule.perMinute, monotonicMs) === 0) this.#rates.delete(key);
    }
  }
}

function newBucket(rule: Compiled<BudgetRule>, period: Period, name: BucketName): MoneyBucket {
  return {
    ...name,
    rule,
    period,
    limit: Number(rule.rule.limitNanoUsd),
    told: 0,
    spent: 0,
    reserved: 0,
    covered: 0,
    toldReserved: 0,
    unpriced: 0,
    toldUnpriced: 0,
    epoch: "",
    isNearlySpentLogged: false,
    isExceededLogged: false,
  };
}
