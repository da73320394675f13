import type { BucketState, BudgetRule, BudgetState, RateRule } from "../../core/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import type { Book, MoneyBucket, RateBucket } from "./book.ts";
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

/** What each rule that concerns the tenant has in its buckets. */
export function budgetStates(
  rules: { readonly money: readonly Compiled<BudgetRule>[]; readonly rates: readonly Compiled<RateRule>[] },
  { book, clock, tenant }: { readonly book: Book; readonly clock: Clock; readonly tenant: string | undefined },
): BudgetState[] {
  const money = moneyByRule(book, tenant, clock);
  const rates = new Map<string, RateBucket[]>();
  for (const bucket of book.rates()) {
    if (tenant === undefined || bucket.tenant === tenant) put(rates, bucket.rule.key, bucket);
  }
  const concerns = ({ rule, only }: Compiled<BudgetRule | RateRule>) =>
    tenant === undefined ||
    ((rule.tenant === undefined || rule.tenant === tenant) && (rule.scope !== "tenant" || !only || only.has(tenant)));
  return [
    ...rules.money.filter(concerns).map(({ rule, key }) => stateOf(rule, (money.get(key) ?? []).map(moneyState))),
    ...rules.rates.filter(concerns).map(({ rule, key }) =>
      stateOf(
        rule,
        (rates.get(key) ?? []).map((bucket) => rateState(bucket, clock)),
      ),
    ),
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

function stateOf(rule: BudgetRule | RateRule, buckets: readonly BucketState[]): BudgetState {
  return { rule, buckets: fullest(buckets, ({ share }) => share).slice(0, MAX_SHOWN), bucketCount: buckets.length };
}

function spentOf({ told, spent }: MoneyBucket): number {
  return Math.max(0, told + spent);
}

function moneyState(bucket: MoneyBucket): BucketState {
  const { tenant, name, isOverflow, limit, period } = bucket;
  const spent = spentOf(bucket);
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
    ...{ tenant, name, isOverflow, limit: BigInt(perMinute), share: level / MINUTE_MS / perMinute },
    spent: BigInt(used),
    reserved: 0n,
    resetAtMs: clock.nowMs() + Math.ceil(level / perMinute),
    unpricedAttempts: 0,
  };
}
