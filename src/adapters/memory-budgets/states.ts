import type { BucketState, BudgetRule, BudgetState, RateRule } from "../../core/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import type { Book, MoneyBucket, RateBucket } from "./book.ts";
import type { LookBack } from "./look-back.ts";
import { periodAt } from "./period.ts";
import { levelAt, MINUTE_MS } from "./rate.ts";
import type { Compiled } from "./rules.ts";

/** Most buckets that are shown of each rule. */
export const MAX_SHOWN = 100;

/** The buckets of now that a tenant may see, by the key of their rule. `tenant` absent: of all. */
export function moneyByRule(book: Book, tenant: string | undefined, clock: Clock): Map<string, MoneyBucket[]> {
  const nowMs = clock.nowMs();
  const found = new Map<string, MoneyBucket[]>();
  for (const bucket of book.money()) {
    const { key, rule } = bucket.rule;
    const isNow = bucket.period.key === periodAt(rule.per, nowMs).key;
    if (!isNow || (tenant !== undefined && bucket.tenant !== tenant)) continue;
    put(found, key, bucket);
  }
  for (const [key, buckets] of found)
    found.set(
      key,
      fullest(buckets, (bucket) => spentOf(bucket) / bucket.limit),
    );
  return found;
}

/** The rules that may concern calls of the tenant. `tenant` absent: all. */
export function concerning<R extends BudgetRule | RateRule>(
  rules: readonly Compiled<R>[],
  tenant: string | undefined,
): Compiled<R>[] {
  return rules.filter(
    ({ rule, only }) =>
      tenant === undefined ||
      ((rule.tenant === undefined || rule.tenant === tenant) && (rule.scope !== "tenant" || !only || only.has(tenant))),
  );
}

export interface StatesPorts {
  readonly book: Book;
  readonly clock: Clock;
  readonly tenant: string | undefined;
  /** What the ledger says, by the key of the rule. Absent: there is none, and nothing was spent before. */
  readonly past: ReadonlyMap<string, LookBack> | undefined;
  /** Whether other processes count in the same buckets. */
  readonly isShared: boolean;
}

export interface Rules {
  readonly money: readonly Compiled<BudgetRule>[];
  readonly rates: readonly Compiled<RateRule>[];
}

/** What each rule that concerns the tenant has in its buckets. */
export function budgetStates(rules: Rules, { book, clock, tenant, past, isShared }: StatesPorts): BudgetState[] {
  const money = moneyByRule(book, tenant, clock);
  const rates = new Map<string, RateBucket[]>();
  for (const bucket of book.rates()) {
    if (tenant === undefined || bucket.tenant === tenant) put(rates, bucket.rule.key, bucket);
  }
  return [
    ...concerning(rules.money, tenant).map((rule) => {
      const found = past?.get(rule.key);
      // One of them may have been met while Redis was asked.
      const unmet = (found?.unmet ?? []).filter(({ tenant: owner, name }) => !book.find(rule, owner, name));
      const met = (money.get(rule.key) ?? []).map((bucket) => moneyState(bucket, found?.met.get(bucket)));
      const state = stateOf(rule.rule, [...met, ...unmet.map((bucket) => moneyState(bucket))]);
      return {
        ...state,
        bucketCount: Math.max(state.bucketCount, found?.nameCount ?? 0),
        isPartial: past !== undefined && (!found || found.isPartial),
      };
    }),
    ...concerning(rules.rates, tenant).map(({ rule, key }) => {
      const buckets = (rates.get(key) ?? []).map((bucket) => rateState(bucket, clock));
      // What has flowed off is as good as never used.
      const used = buckets.filter(({ spent }) => spent > 0n);
      return { ...stateOf(rule, used), isPartial: isShared };
    }),
  ];
}

function put<T>(groups: Map<string, T[]>, key: string, value: T): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

function fullest<T>(buckets: readonly T[], shareOf: (bucket: T) => number): T[] {
  return [...buckets].sort((a, b) => shareOf(b) - shareOf(a));
}

function stateOf(rule: BudgetRule | RateRule, buckets: readonly BucketState[]): Omit<BudgetState, "isPartial"> {
  return { rule, buckets: fullest(buckets, ({ share }) => share).slice(0, MAX_SHOWN), bucketCount: buckets.length };
}

function spentOf({ told, spent }: MoneyBucket): number {
  return Math.max(0, told + spent);
}

/** `ledger` is what the ledger says: it holds a part of what is known here, so that the two are never added. */
function moneyState(bucket: MoneyBucket, ledger = 0): BucketState {
  const { tenant, name, isOverflow, limit, period, seed, epoch } = bucket;
  const knowsPast = isOverflow || (seed ? seed.isAnswered : epoch !== "");
  const spent = knowsPast ? spentOf(bucket) : Math.max(spentOf(bucket), ledger);
  // What others hold back, and what Redis does not know of our own.
  const reserved = Math.max(bucket.toldReserved, bucket.reserved);
  return {
    ...{ tenant, name, isOverflow, limit: BigInt(limit), share: spent / limit, resetAtMs: period.endMs },
    spent: BigInt(spent),
    reserved: BigInt(reserved),
    unpricedAttempts: bucket.unpriced + bucket.toldUnpriced,
  };
}

function rateState(bucket: RateBucket, clock: Clock): BucketState {
  const { tenant, name, isOverflow } = bucket;
  const { perMinute } = bucket.rule.rule;
  const level = levelAt(bucket, perMinute, clock.monotonicMs());
  const used = Math.ceil(level / MINUTE_MS);
  return {
    ...{ tenant, name, isOverflow, limit: BigInt(perMinute), share: used / perMinute },
    spent: BigInt(used),
    reserved: 0n,
    resetAtMs: clock.nowMs() + Math.ceil(level / perMinute),
    unpricedAttempts: 0,
  };
}
