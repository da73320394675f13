import type pg from "pg";
import type { BudgetScope, SpendersQuestion, SpentLedger } from "../../core/budgets.ts";
import { UsageDatabase } from "./usage-database.ts";

const HOUR_MS = 3_600_000;
/** Somebody waits for an answer that can do without. */
const STATEMENT_TIMEOUT_MS = 1_000;
const MAX_CONCURRENCY = 2;

const COLUMNS: Readonly<Record<BudgetScope, string>> = {
  tenant: "tenant",
  feature: "feature",
  user: "user_id",
  key: "key_id",
};

/** The sums of whole hours; each is read by its key, however many there are. Keys have none. */
const hours = (scope: BudgetScope) => `
SELECT name, sum(cost) AS cost
FROM generate_series($3::timestamptz, $4::timestamptz - interval '1 hour', interval '1 hour') AS begin, LATERAL (
  SELECT ${scope === "key" ? "''" : COLUMNS[scope]} AS name, sum(cost_nano_usd) AS cost
  FROM ${scope === "user" ? "usage_user_hours" : "usage_hours"}
  WHERE tenant = $1 AND hour = begin AND ${scope === "key" ? "false" : `${COLUMNS[scope]} = ANY ($2)`} GROUP BY 1
) AS sums GROUP BY name`;

/**
 * What names spent, each until a time of its own. An attempt whose end is not there yet counts with the estimate of its
 * prompt. Attempts are read once, however many names there are: for keys, every attempt of the tenant in the period.
 */
const query = (scope: BudgetScope) => `
WITH asked AS (
  SELECT * FROM unnest($2::text[], $5::timestamptz[]) WITH ORDINALITY AS asked (name, until, place)
), hours AS (${hours(scope)}), late AS (
  SELECT place, sum(CASE WHEN finished_at IS NULL THEN estimated_cost_nano_usd ELSE cost_nano_usd END) AS cost
  FROM attempts JOIN asked ON coalesce(${COLUMNS[scope]}, '') = name
    AND called_at < until AND coalesce(started_at, finished_at) < until
  WHERE tenant = $1 AND called_at >= $4 AND called_at < $6 GROUP BY place
)
SELECT (coalesce(hours.cost, 0) + coalesce(late.cost, 0))::text AS spent
FROM asked LEFT JOIN hours USING (name) LEFT JOIN late USING (place) ORDER BY place`;

/** Tenants are found one by one along the index, for they are few and their attempts many. */
const TENANTS = `
WITH RECURSIVE tenants AS (
  (SELECT tenant FROM attempts ORDER BY tenant LIMIT 1)
  UNION ALL
  SELECT (SELECT tenant FROM attempts WHERE tenant > tenants.tenant ORDER BY tenant LIMIT 1) FROM tenants
  WHERE tenant IS NOT NULL
)
SELECT tenant FROM tenants WHERE tenant IS NOT NULL AND $1::text IS NULL UNION ALL SELECT $1 WHERE $1 IS NOT NULL`;

/** `$3` to `$4`: whole hours, from their sums; keys have none. `$4` to `$5`: attempt by attempt. */
const spenders = (scope: BudgetScope) => `
SELECT tenants.tenant, name, sum(cost)::text AS spent, count(*) OVER ()::int AS count
FROM (${TENANTS}) AS tenants, LATERAL (
  SELECT ${scope === "key" ? "''" : COLUMNS[scope]} AS name, cost_nano_usd AS cost
  FROM ${scope === "user" ? "usage_user_hours" : "usage_hours"}
  WHERE tenant = tenants.tenant AND hour >= $3::timestamptz AND hour < $4::timestamptz AND ${scope !== "key"}
  UNION ALL
  SELECT coalesce(${COLUMNS[scope]}, ''),
    CASE WHEN finished_at IS NULL THEN estimated_cost_nano_usd ELSE cost_nano_usd END
  FROM attempts
  WHERE tenant = tenants.tenant AND called_at >= $4 AND called_at < $5 AND coalesce(started_at, finished_at) < $5
) AS costs
WHERE $2::text[] IS NULL OR name = ANY ($2)
GROUP BY tenants.tenant, name HAVING sum(cost) > 0
ORDER BY sum(cost) DESC, tenants.tenant, name LIMIT $6`;

/** Where whole hours end and single attempts begin. */
function detailFrom(scope: BudgetScope, fromMs: number, toMs: number): Date {
  const lastHoursMs = Math.floor(toMs / HOUR_MS) * HOUR_MS - HOUR_MS;
  return new Date(scope === "key" ? fromMs : Math.max(fromMs, lastHoursMs));
}

/**
 * What the ledger's tables say was spent, by the time at which calls began: whole hours from their sums, the last one to
 * two hours attempt by attempt. Rejects while the database is away. Records that wait in a spool are not in it.
 */
export function createSpentLedger(pool: pg.Pool | Promise<pg.Pool>): SpentLedger {
  const database = new UsageDatabase({
    pool: Promise.resolve(pool),
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    maxConcurrency: MAX_CONCURRENCY,
    maxConcurrencyPerTenant: 1,
    waitMs: STATEMENT_TIMEOUT_MS,
  });
  return {
    async spentSince(tenant, scope, fromMs, names) {
      if (names.length === 0) return [];
      const times = names.map(({ toMs }) => toMs);
      const [firstMs, lastMs] = [Math.min(...times), Math.max(...times)];
      const until = times.map((ms) => new Date(ms));
      const from = [new Date(fromMs), detailFrom(scope, fromMs, firstMs)];
      const values = [tenant, names.map(({ name }) => name), ...from, until, new Date(lastMs)];
      const client = await (await pool).connect();
      try {
        // Compiling the statement takes longer than running it.
        await client.query("BEGIN READ ONLY; SET LOCAL jit = off");
        const { rows } = await client.query<{ spent: string }>(query(scope), values);
        await client.query("COMMIT");
        client.release();
        return rows.map(({ spent }) => BigInt(spent));
      } catch (error) {
        client.release(true);
        throw error;
      }
    },
    async topSpenders({ scope, tenant, names, fromMs, toMs, limit }: SpendersQuestion) {
      const times = [new Date(fromMs), detailFrom(scope, fromMs, toMs), new Date(toMs)];
      const values = [tenant ?? null, names ?? null, ...times, limit];
      const { rows } = await database.read(
        (client) =>
          client.query<{ tenant: string; name: string; spent: string; count: number }>(spenders(scope), values),
        tenant,
      );
      const told = rows.map((row) => ({ tenant: row.tenant, name: row.name, nanoUsd: BigInt(row.spent) }));
      return { spenders: told, count: rows[0]?.count ?? 0 };
    },
  };
}
