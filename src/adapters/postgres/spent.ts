import type pg from "pg";
import type { BudgetScope, SpentLedger } from "../../core/budgets.ts";

const HOUR_MS = 3_600_000;

/** The sums of whole hours, as far as they have what is asked; each is read by its key, however many there are. */
const HOURS: Readonly<Record<Exclude<BudgetScope, "key">, string>> = {
  tenant: "FROM usage_hours WHERE tenant = $1 AND hour = begin AND $2 <> ''",
  feature: "FROM usage_hours WHERE tenant = $1 AND hour = begin AND feature = $2",
  user: "FROM usage_user_hours WHERE tenant = $1 AND hour = begin AND user_id = $2",
};

const COLUMNS: Readonly<Record<BudgetScope, string>> = {
  tenant: "tenant",
  feature: "feature",
  user: "user_id",
  key: "key_id",
};

/** What attempts cost; one whose end is not there yet counts with the estimate of its prompt. */
const attempts = (scope: BudgetScope) => `
SELECT sum(CASE WHEN finished_at IS NULL THEN estimated_cost_nano_usd ELSE cost_nano_usd END) FROM attempts
WHERE tenant = $1 AND called_at >= $4 AND called_at < $5 AND coalesce(${COLUMNS[scope]}, '') = $2
  AND coalesce(started_at, finished_at) < $5`;

const hours = (scope: Exclude<BudgetScope, "key">) => `
SELECT sum(cost) FROM generate_series($3::timestamptz, $4::timestamptz - interval '1 hour', interval '1 hour') AS begin,
  LATERAL (SELECT sum(cost_nano_usd) AS cost ${HOURS[scope]}) AS sums`;

/** Keys have no sums of hours: every attempt of the tenant in the period is read. `$3` is what nobody asks for then. */
const query = (scope: BudgetScope) =>
  scope === "key"
    ? `SELECT coalesce((${attempts(scope)}), 0)::text AS spent, $3::timestamptz AS from_time`
    : `SELECT (coalesce((${hours(scope)}), 0) + coalesce((${attempts(scope)}), 0))::text AS spent`;

/**
 * What the ledger's tables say was spent, by the time at which calls began: whole hours from their sums, the last one to
 * two hours attempt by attempt. Rejects while the database is away. Records that wait in a spool are not in it.
 */
export function createSpentLedger(pool: pg.Pool | Promise<pg.Pool>): SpentLedger {
  return {
    async spentSince(tenant, scope, name, fromMs, toMs) {
      const lastHoursMs = Math.floor(toMs / HOUR_MS) * HOUR_MS - HOUR_MS;
      const detailMs = scope === "key" ? fromMs : Math.max(fromMs, lastHoursMs);
      const values = [tenant, name, new Date(fromMs), new Date(detailMs), new Date(toMs)];
      const { rows } = await (await pool).query<{ spent: string }>(query(scope), values);
      return BigInt(rows[0]?.spent ?? "0");
    },
  };
}
