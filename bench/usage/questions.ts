import { createLedgerStore } from "../../src/adapters/postgres/ledger-store.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { createUsageStore } from "../../src/adapters/postgres/usage-store.ts";
import { silentLog } from "../../src/core/log.ts";
import type { CallQuery, UsageDimension, UsageFilter, UsageQuery } from "../../src/core/usage.ts";
import type { Counts, Effort, Ratios } from "../benchmark.ts";
import { interleave } from "../interleave.ts";
import type { NewDatabase } from "../usage.ts";
import { batches, records } from "./records.ts";
import { MIGRATIONS_DIR } from "./storing.ts";

const DAYS = 30;
const DAY_MS = 86_400_000;
const END_MS = Date.UTC(2026, 1, 1);
const METRICS = [
  ...["by feature", "by day and model", "by user", "one user by day", "by error reason"],
  ...["newest calls", "slowest calls", "last 24 h by feature"],
] as const;

const all: UsageFilter = {
  ...{ features: [], users: [], models: [], promptNames: [], promptVersions: [], errorReasons: [], cacheStatuses: [] },
};

/** A month of calls, asked in different ways, for different numbers of calls. */
export async function measureQuestions(effort: Effort, newDatabase: NewDatabase): Promise<[Ratios, Counts]> {
  const [sizes, rounds] = effort === "full" ? [[10_000, 100_000, 1_000_000], 5] : [[300, 600], 1];
  const tables: (string | number)[][] = [];
  const subjects: { name: string; measure(): Promise<Record<string, number>> }[] = [];
  for (const calls of sizes) {
    const pool = await newDatabase();
    await migrate(pool, MIGRATIONS_DIR, silentLog);
    const store = createLedgerStore(pool);
    const users = Math.round(calls / 200) + 10;
    for (const batch of batches(records({ calls, days: DAYS, features: 12, users, endMs: END_MS }))) {
      await store.write(batch);
    }
    // As autovacuum would have done by then.
    await pool.query("VACUUM ANALYZE");
    for (const table of ["calls", "attempts", "usage_hours", "usage_user_hours"]) {
      const { rows } = await pool.query(
        `SELECT count(*)::float8 AS rows, pg_total_relation_size('${table}')::float8 / 1048576 AS mib FROM ${table}`,
      );
      tables.push([calls, users, table, rows[0].rows, rows[0].mib]);
    }
    const usage = createUsageStore(Promise.resolve(pool), { statementTimeoutMs: 600_000 });
    subjects.push({ name: `${calls} calls`, measure: () => ask(usage) });
  }
  const ratios: Ratios = {
    kind: "ratios",
    title: "questions about a month, in ms",
    floor: `${sizes[0]} calls`,
    ratiosOf: [...METRICS],
    settings: { days: DAYS, features: 12, users: "calls / 200" },
    results: await interleave(subjects, rounds),
  };
  const columns = ["calls", "users", "table", "rows", "MiB with indexes"];
  return [ratios, { kind: "counts", title: "size of the tables", remark: "a month", columns, rows: tables }];
}

async function ask(usage: ReturnType<typeof createUsageStore>): Promise<Record<string, number>> {
  const month = { tenant: "acme", fromMs: END_MS - DAYS * DAY_MS, toMs: END_MS, filter: all };
  const summary = (groupBy: UsageDimension[], fields: Partial<UsageQuery> = {}) =>
    timed(() => usage.summarize({ ...month, groupBy, order: "cost", limit: 100, ...fields }));
  const list = (order: CallQuery["order"]) =>
    timed(() => usage.listCalls({ ...month, onlyFailed: false, order, limit: 51 }));
  const times = [
    await summary(["feature"]),
    await summary(["day", "model"]),
    await summary(["user"]),
    await summary(["day"], { filter: { ...all, users: ["user-0"] } }),
    await summary(["error_reason"]),
    await list("newest"),
    await list("slowest"),
    await summary(["feature"], { fromMs: END_MS - DAY_MS }),
  ];
  return Object.fromEntries(METRICS.map((name, index) => [name, times[index] ?? Number.NaN]));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
