import type { BudgetRule, RateRule } from "../../core/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { MoneyBucket } from "./book.ts";

/** Where Redis comes and goes, this often a line says so at most. */
const SHARING_LOG_INTERVAL_MS = 10_000;
/** Clocks that differ by more than this from that of Redis are worth a line. */
const CLOCK_TOLERANCE_MS = 60_000;

/** What is logged of budgets: each thing once. */
export class Warnings {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #overflows = new Set<string>();
  #loggedShared = true;
  #isClockLogged = false;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: { readonly log: Log; readonly clock: Clock }) {
    this.#log = ports.log;
    this.#clock = ports.clock;
  }

  /** There is nothing to share budgets by, and nobody should think there were. */
  inProcess(): void {
    this.#log.info("budgets_in_process", { cause: "no_redis" });
  }

  /** Whether the last question to Redis was answered. */
  heard(isShared: boolean): void {
    if (isShared === this.#loggedShared) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < SHARING_LOG_INTERVAL_MS) return;
    this.#loggedAtMs = nowMs;
    this.#loggedShared = isShared;
    if (isShared) this.#log.info("budgets_shared");
    else this.#log.warn("budgets_in_process", { cause: "redis_unavailable" });
  }

  /** Told the time of Redis: where this process is of another opinion, periods begin and end at different times. */
  clockOf(sharedNowMs: number): void {
    const differenceMs = this.#clock.nowMs() - sharedNowMs;
    if (Math.abs(differenceMs) < CLOCK_TOLERANCE_MS / 2) this.#isClockLogged = false;
    if (this.#isClockLogged || Math.abs(differenceMs) <= CLOCK_TOLERANCE_MS) return;
    this.#isClockLogged = true;
    this.#log.warn("budgets_clock_differs", { difference_ms: differenceMs });
  }

  /** Called whenever something was spent of the bucket. */
  spent(bucket: MoneyBucket): void {
    const { limit, isNearlySpentLogged, isExceededLogged } = bucket;
    const { soft, warnAt } = bucket.rule.rule;
    const spent = bucket.told + bucket.spent;
    if (!isNearlySpentLogged && spent >= warnAt * limit) {
      bucket.isNearlySpentLogged = true;
      this.#log.warn("budget_nearly_spent", fieldsOf(bucket, spent));
    }
    if (soft && !isExceededLogged && spent > limit) {
      bucket.isExceededLogged = true;
      this.#log.warn("budget_exceeded_softly", fieldsOf(bucket, spent));
    }
  }

  overflow(rule: BudgetRule | RateRule, tenant: string): void {
    const key = JSON.stringify([tenant, rule.scope, "per" in rule ? rule.per : rule.unit]);
    if (this.#overflows.has(key)) return;
    this.#overflows.add(key);
    this.#log.warn("budget_names_overflow", { tenant, scope: rule.scope });
  }
}

function fieldsOf({ tenant, name, isOverflow, limit, period, rule: { rule } }: MoneyBucket, spent: number) {
  return {
    tenant,
    scope: rule.scope,
    name,
    ...(isOverflow && { overflow: true }),
    per: rule.per,
    period: period.key,
    spent_nano_usd: String(spent),
    limit_nano_usd: String(limit),
    resets_at: new Date(period.endMs).toISOString(),
  };
}
