import type { BudgetRule, SpendersQuestion, SpentLedger } from "../../core/budgets.ts";
import { after, type Clock } from "../../core/clock.ts";
import { toAmount } from "./amount.ts";
import { type Book, type MoneyBucket, newBucket } from "./book.ts";
import { periodAt } from "./period.ts";
import type { Compiled } from "./rules.ts";

/** How long the ledger is waited for in all. */
const WAIT_MS = 2_000;
/** Most names that it is asked for each rule. */
const MAX_NAMES = 100;

/** What the ledger says of one rule. */
export interface LookBack {
  /** Buckets that this process has not met, with what was spent of them. They are in no book. */
  readonly unmet: readonly MoneyBucket[];
  /** What was spent of those that it has met. */
  readonly met: ReadonlyMap<MoneyBucket, number>;
  /** How many names have spent something. */
  readonly nameCount: number;
  /** Whether some are left out because names share a bucket here, which holds a part of what they spent. */
  readonly isPartial: boolean;
}

/**
 * Asks the ledger who spent most of each rule in the period that is now, by the key of the rule. Never rejects: a rule of
 * which it does not say so in time is not there.
 */
export async function lookBack(
  ledger: SpentLedger,
  rules: readonly Compiled<BudgetRule>[],
  ports: { readonly book: Book; readonly clock: Clock; readonly tenant: string | undefined },
): Promise<ReadonlyMap<string, LookBack>> {
  const { clock } = ports;
  const found = new Map<string, LookBack>();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let isOver = false;
  const callOff = after(clock, WAIT_MS, () => {
    isOver = true;
    resolve();
  });
  for (const rule of rules) {
    // One that takes too long by itself says nothing about the next.
    const answer = ledger.topSpenders(questionOf(rule, ports)).catch(() => undefined);
    const spenders = await Promise.race([answer, over]);
    if (isOver) return found;
    if (spenders) found.set(rule.key, sorted(rule, spenders, ports));
  }
  callOff();
  return found;
}

function questionOf(
  { rule }: Compiled<BudgetRule>,
  { clock, tenant = rule.tenant }: { readonly clock: Clock; readonly tenant: string | undefined },
): SpendersQuestion {
  const toMs = clock.nowMs();
  return {
    scope: rule.scope,
    ...(tenant !== undefined && { tenant }),
    ...(rule.only && { names: rule.only }),
    ...{ fromMs: periodAt(rule.per, toMs).startMs, toMs, limit: MAX_NAMES },
  };
}

function sorted(
  rule: Compiled<BudgetRule>,
  { spenders, count }: Awaited<ReturnType<SpentLedger["topSpenders"]>>,
  { book, clock }: { readonly book: Book; readonly clock: Clock },
): LookBack {
  const period = periodAt(rule.rule.per, clock.nowMs());
  const unmet: MoneyBucket[] = [];
  const met = new Map<MoneyBucket, number>();
  let isPartial = false;
  for (const { tenant, name, nanoUsd } of spenders) {
    const known = book.find(rule, tenant, name);
    if (known) met.set(known, toAmount(nanoUsd));
    else if (book.hasOverflow(rule, tenant)) isPartial = true;
    else unmet.push({ ...newBucket(rule, period, { tenant, name, isOverflow: false }), told: toAmount(nanoUsd) });
  }
  return { unmet, met, nameCount: count, isPartial };
}
