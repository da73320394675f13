import type { BudgetRule, RateRule } from "../../core/budgets.ts";
import type { CallOff, Clock } from "../../core/clock.ts";
import { type Period, periodAt } from "./period.ts";
import { type Level, levelAt } from "./rate.ts";
import { type Compiled, isBounded } from "./rules.ts";
import { type ShareLimits, Shares } from "./shares.ts";

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
  /** What the ledger is asked; absent where it was not. `callOff`: it need not be asked once more. */
  seed?: { readonly soon: Promise<void>; isAnswered: boolean; callOff?: CallOff };
  /** Claims that are being decided or were granted. */
  claims: number;
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

/** Whether it would be the same if it were made anew, and nobody needs it. */
function isVacant({ claims, told, toldReserved, spent, reserved, unpriced, toldUnpriced, seed }: MoneyBucket): boolean {
  const isUnused = claims === 0 && spent === 0 && reserved === 0 && unpriced === 0;
  return isUnused && told === 0 && toldReserved === 0 && toldUnpriced === 0 && (!seed || seed.isAnswered);
}

function shareOf({ rule, period, tenant }: MoneyBucket): string {
  return `${rule.key}/${period.key}/${tenant}`;
}

function keyOf(share: string, name: string): string {
  return `${share}/n${name}`;
}

/**
 * The buckets of this process. None that holds anything is given up before its time is over, for it would begin anew:
 * names that come when their share is full have one bucket together for each rule and tenant. Names that the
 * configuration bounds always have their own.
 */
export class Book {
  readonly #clock: Clock;
  readonly #shares: Shares;
  readonly #onOverflow: (rule: BudgetRule | RateRule, tenant: string) => void;
  readonly #money = new Map<string, MoneyBucket>();
  readonly #rates = new Map<string, RateBucket>();
  /** Those that refused whoever made them, oldest first, by share: they make room for others of it. */
  readonly #vacant = new Map<string, Set<MoneyBucket>>();
  #sweepAtMs = 0;

  constructor(
    options: {
      readonly clock: Clock;
      /** Told whenever a name has to share. */
      readonly onOverflow: (rule: BudgetRule | RateRule, tenant: string) => void;
    } & ShareLimits,
  ) {
    this.#clock = options.clock;
    this.#shares = new Shares(options);
    this.#onOverflow = options.onOverflow;
  }

  money(): Iterable<MoneyBucket> {
    return this.#money.values();
  }

  rates(): Iterable<RateBucket> {
    return this.#rates.values();
  }

  /** The bucket of a name for the period that is now. Whoever asked says `leave` once it is not needed. */
  moneyOf(rule: Compiled<BudgetRule>, tenant: string, name: string): MoneyBucket {
    const period = periodAt(rule.rule.per, this.#clock.nowMs());
    const share = `${rule.key}/${period.key}/${tenant}`;
    const key = keyOf(share, name);
    const known = this.#money.get(key);
    if (known) {
      known.claims += 1;
      this.#notVacant(known);
      return known;
    }
    const counts = !isBounded(rule);
    if (counts && !this.#hasRoom(tenant, share)) return this.overflowOf(rule, tenant);
    const bucket = newBucket(rule, period, { tenant, name, isOverflow: false });
    bucket.claims = 1;
    this.#money.set(key, bucket);
    if (counts) this.#shares.add(tenant, share);
    return bucket;
  }

  /** A claim was refused: a bucket that holds nothing need not be kept for it. */
  leave(bucket: MoneyBucket): void {
    bucket.claims -= 1;
    if (bucket.isOverflow || bucket.claims > 0 || bucket.spent + bucket.reserved + bucket.told > 0) return;
    const share = shareOf(bucket);
    const vacant = this.#vacant.get(share) ?? new Set();
    this.#vacant.set(share, vacant.add(bucket));
  }

  /** The bucket of a name, where this process has met it in the period that is now. */
  find(rule: Compiled<BudgetRule>, tenant: string, name: string): MoneyBucket | undefined {
    return this.#money.get(`${rule.key}/${periodAt(rule.rule.per, this.#clock.nowMs()).key}/${tenant}/n${name}`);
  }

  /** Whether names share a bucket in the period that is now. */
  hasOverflow(rule: Compiled<BudgetRule>, tenant: string): boolean {
    return this.#money.has(`${rule.key}/${periodAt(rule.rule.per, this.#clock.nowMs()).key}/${tenant}/o`);
  }

  /** The bucket of all names that have none of their own. */
  overflowOf(rule: Compiled<BudgetRule>, tenant: string): MoneyBucket {
    this.#onOverflow(rule.rule, tenant);
    const period = periodAt(rule.rule.per, this.#clock.nowMs());
    const key = `${rule.key}/${period.key}/${tenant}/o`;
    const bucket = this.#money.get(key) ?? newBucket(rule, period, { tenant, name: "", isOverflow: true });
    bucket.claims += 1;
    this.#money.set(key, bucket);
    return bucket;
  }

  rateOf(rule: Compiled<RateRule>, tenant: string, name: string): RateBucket {
    const share = `${rule.key}/${tenant}`;
    const own = keyOf(share, name);
    const known = this.#rates.get(own);
    if (known) return known;
    const counts = !isBounded(rule);
    const isOverflow = counts && !this.#hasRoom(tenant, share);
    if (isOverflow) this.#onOverflow(rule.rule, tenant);
    const key = isOverflow ? `${share}/o` : own;
    const atMs = this.#clock.monotonicMs();
    const bucket = this.#rates.get(key) ?? { rule, tenant, name: isOverflow ? "" : name, isOverflow, level: 0, atMs };
    this.#rates.set(key, bucket);
    if (counts && !isOverflow) this.#shares.add(tenant, share);
    return bucket;
  }

  #hasRoom(tenant: string, share: string): boolean {
    if (this.#shares.hasRoom(tenant, share)) return true;
    this.#dropOldestVacant(share);
    if (this.#shares.hasRoom(tenant, share)) return true;
    // A look at all of them, so not for each new name.
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#sweepAtMs) {
      this.#sweepAtMs = nowMs + SWEEP_INTERVAL_MS;
      this.sweep();
    }
    return this.#shares.hasRoom(tenant, share);
  }

  #dropOldestVacant(share: string): void {
    for (const bucket of this.#vacant.get(share) ?? []) {
      // What the ledger is asked of it is not known yet, nor of those that came later.
      if (bucket.seed && !bucket.seed.isAnswered) return;
      const isVacantNow = isVacant(bucket);
      this.#notVacant(bucket);
      if (!isVacantNow) continue;
      this.#drop(keyOf(share, bucket.name), bucket);
      return;
    }
  }

  #notVacant(bucket: MoneyBucket): void {
    const share = shareOf(bucket);
    const vacant = this.#vacant.get(share);
    if (vacant?.delete(bucket) && vacant.size === 0) this.#vacant.delete(share);
  }

  #drop(key: string, bucket: MoneyBucket): void {
    this.#money.delete(key);
    this.#notVacant(bucket);
    bucket.seed?.callOff?.();
    if (!bucket.isOverflow && !isBounded(bucket.rule)) this.#shares.remove(bucket.tenant, shareOf(bucket));
  }

  /**
   * Forgets budgets of periods that are over or that nothing was ever taken from, and limits that are as good as new.
   * Whoever holds a bucket keeps it.
   */
  sweep(): void {
    const [nowMs, monotonicMs] = [this.#clock.nowMs(), this.#clock.monotonicMs()];
    for (const [key, bucket] of this.#money) {
      if (bucket.period.endMs + KEPT_MS <= nowMs || (!bucket.isOverflow && isVacant(bucket))) this.#drop(key, bucket);
    }
    for (const [key, bucket] of this.#rates) {
      const { rule, tenant, isOverflow } = bucket;
      if (levelAt(bucket, rule.rule.perMinute, monotonicMs) > 0) continue;
      this.#rates.delete(key);
      if (!isOverflow && !isBounded(rule)) this.#shares.remove(tenant, `${rule.key}/${tenant}`);
    }
  }
}

/** A bucket in no book: nothing was spent of it. */
export function newBucket(rule: Compiled<BudgetRule>, period: Period, name: BucketName): MoneyBucket {
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
    claims: 0,
    isNearlySpentLogged: false,
    isExceededLogged: false,
  };
}
