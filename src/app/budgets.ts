import { createBudgets } from "../adapters/memory-budgets.ts";
import { createSpentLedger } from "../adapters/postgres/spent.ts";
import { nanoUsdOf as nanoUsd } from "../adapters/prices/decimal.ts";
import { createRedisBudgets } from "../adapters/redis-budgets.ts";
import type { Config } from "../config.ts";
import { type BudgetRule, type Budgets, noBudgets, type RateRule } from "../core/budgets.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { OpeningDatabase } from "./database.ts";

/** How much longer than an attempt a reservation is kept. */
const HOLD_MARGIN_MS = 60_000;

/** Budgets and limits: shared over Redis where it is configured, begun with what the ledger says was spent. */
export function openBudgets(
  config: Config,
  database: OpeningDatabase,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): Budgets {
  const [budgets, rates] = [budgetRules(config), rateRules(config)];
  if (budgets.length + rates.length === 0) return noBudgets();
  const longestMs = Math.max(
    config.defaults.max_deadline_ms,
    ...Object.values(config.models).map(({ attempt_timeout_ms }) => attempt_timeout_ms),
  );
  const shared = { ...ports, holdMs: longestMs + HOLD_MARGIN_MS };
  const opened = createBudgets({
    ...shared,
    budgets,
    rates,
    ledger: createSpentLedger(database.pool),
    ...(config.redis_url !== undefined && {
      shared: createRedisBudgets({ ...shared, url: config.redis_url, timeoutMs: config.cache.redis_timeout_ms }),
    }),
  });
  stack.defer(() => opened.close());
  return opened;
}

function budgetRules({ budgets }: Config): BudgetRule[] {
  return budgets.map(({ limit_usd, warn_at, scope, per, soft, tenant, only }) => ({
    ...{ scope, per, soft, warnAt: warn_at, limitNanoUsd: nanoUsd(limit_usd) },
    ...targetOf({ tenant, only }),
  }));
}

/** Limits of the list, then those of single keys. */
function rateRules({ rate_limits, auth }: Config): RateRule[] {
  const ofKeys = auth.api_keys.map(({ id, tenant, ...limits }) => ({
    scope: "key" as const,
    tenant,
    only: [id],
    ...limits,
  }));
  return [...rate_limits, ...ofKeys].flatMap(({ scope, tenant, only, requests_per_minute, tokens_per_minute }) => {
    const target = { scope, ...targetOf({ tenant, only }) };
    return [
      ...(requests_per_minute === undefined
        ? []
        : [{ ...target, unit: "requests" as const, perMinute: requests_per_minute }]),
      ...(tokens_per_minute === undefined
        ? []
        : [{ ...target, unit: "tokens" as const, perMinute: tokens_per_minute }]),
    ];
  });
}

function targetOf({ tenant, only }: { tenant?: string | undefined; only?: readonly string[] | undefined }) {
  return { ...(tenant !== undefined && { tenant }), ...(only !== undefined && { only }) };
}
