import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { createLedgerStore } from "../../../src/adapters/postgres/ledger-store.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { createSpentLedger } from "../../../src/adapters/postgres/spent.ts";
import type { SpooledRecord } from "../../../src/adapters/spool/record.ts";
import type { BudgetScope } from "../../../src/core/budgets.ts";
import { silentLog } from "../../../src/core/log.ts";
import { attemptStarted, endOf } from "../spool/records.ts";

const MIGRATIONS = fileURLToPath(new URL("../../../migrations", import.meta.url));
const HOUR_MS = 3_600_000;

/** An id of version 7, which has the time of its call. */
function callIdAt(ms: number): string {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

/** Whether the ledger says of every scope what a plain sum says, over whole hours and the last ones. */
export function testSpent(pool: () => pg.Pool): void {
  const fromMs = Date.UTC(2026, 4, 1);
  const toMs = fromMs + 30 * HOUR_MS + 1_234_567;
  const rows: { atMs: number; user: string; feature: string; key: string; counted: bigint }[] = [];

  before(async () => {
    await migrate(pool(), MIGRATIONS, silentLog);
    const records: SpooledRecord[] = [];
    for (let index = 0; index < 400; index++) {
      const atMs = fromMs - HOUR_MS + Math.floor((index / 400) * 33 * HOUR_MS);
      const [user, feature, key] = [`u-${index % 3}`, `f-${index % 2}`, index % 5 ? "billing" : ""];
      const cost = BigInt(1_000 + index * 7);
      // Some have no price, and some that began lately have no end yet.
      const isOpen = index % 10 === 3 && atMs >= toMs - HOUR_MS;
      const isUnpriced = index % 10 === 4;
      const started = attemptStarted({
        ...{ call_id: callIdAt(atMs), tenant: "spent", user, feature, key_id: key },
        ...{ started_at: new Date(atMs).toISOString(), estimated_cost_nano_usd: "11" },
      });
      records.push(started);
      if (!isOpen) {
        const finished_at = new Date(atMs + 5).toISOString();
        const cost_nano_usd = isUnpriced ? null : String(cost);
        records.push({ ...endOf(started, { cost_nano_usd, finished_at }), tenant: "spent" });
      }
      rows.push({ atMs, user, feature, key, counted: isOpen ? 11n : isUnpriced ? 0n : cost });
    }
    await createLedgerStore(pool()).write(records);
  });

  it("says who spent most, by the same count", async () => {
    const ledger = createSpentLedger(pool());
    const columns = { user: "user", feature: "feature", key: "key" } as const;
    for (const from of [fromMs, fromMs + 24 * HOUR_MS, fromMs + 30 * HOUR_MS]) {
      for (const scope of ["user", "feature", "key", "tenant"] as const) {
        const sums = new Map<string, bigint>();
        for (const row of rows) {
          if (row.atMs < from || row.atMs >= toMs) continue;
          const name = scope === "tenant" ? "spent" : row[columns[scope]];
          sums.set(name, (sums.get(name) ?? 0n) + row.counted);
        }
        const expected = [...sums].sort(([, a], [, b]) => Number(b - a));
        const told = async (fields: object) =>
          ledger.topSpenders({ scope, tenant: "spent", fromMs: from, toMs, limit: 100, ...fields });
        const all = await told({});
        assert.deepEqual(
          all.spenders.map(({ name, nanoUsd }) => [name, nanoUsd]),
          expected,
        );
        assert.equal(all.count, expected.length);
        assert.deepEqual(await told({ limit: 1 }), { spenders: all.spenders.slice(0, 1), count: expected.length });
        const [[name] = [""]] = expected.slice(-1);
        const named = await told({ names: [name, "nobody"] });
        assert.deepEqual([named.count, named.spenders[0]?.name], [1, name]);
        assert.deepEqual(await told({ tenant: "elsewhere" }), { spenders: [], count: 0 });
        const everybody = await told({ tenant: undefined });
        assert.deepEqual(
          everybody.spenders.filter(({ tenant }) => tenant === "spent"),
          all.spenders,
        );
      }
    }
  });

  const cases: readonly [scope: BudgetScope, name: string, of: (row: (typeof rows)[number]) => boolean][] = [
    ["tenant", "spent", () => true],
    ["user", "u-1", ({ user }) => user === "u-1"],
    ["feature", "f-0", ({ feature }) => feature === "f-0"],
    ["key", "billing", ({ key }) => key === "billing"],
    ["key", "", ({ key }) => key === ""],
    ["user", "nobody", () => false],
  ];
  for (const [scope, name, isOf] of cases) {
    it(`says what ${scope} "${name}" spent`, async () => {
      for (const [from, to] of [
        [fromMs, toMs],
        [fromMs + 24 * HOUR_MS, toMs],
        [fromMs + 30 * HOUR_MS, toMs],
        [toMs, toMs],
      ] as const) {
        const expected = rows
          .filter((row) => isOf(row) && row.atMs >= from && row.atMs < to)
          .reduce((sum, { counted }) => sum + counted, 0n);
        assert.deepEqual(await createSpentLedger(pool()).spentSince("spent", scope, from, [{ name, toMs: to }]), [
          expected,
        ]);
      }
      const elsewhere = await createSpentLedger(pool()).spentSince("elsewhere", scope, fromMs, [{ name, toMs }]);
      assert.deepEqual(elsewhere, [0n]);
    });
  }

  it("says what many names spent, each until its own time, in their order", async () => {
    for (const scope of ["user", "feature", "key"] as const) {
      const names = Array.from({ length: 60 }, (_, index) => ({
        name:
          [`u-${index % 4}`, `f-${index % 3}`, index % 2 ? "billing" : ""][["user", "feature", "key"].indexOf(scope)] ??
          "",
        toMs: toMs - (index % 7) * 1_000_003,
      }));
      const expected = names.map(({ name, toMs: until }) =>
        rows
          .filter((row) => row[scope] === name && row.atMs >= fromMs && row.atMs < until)
          .reduce((sum, { counted }) => sum + counted, 0n),
      );
      assert.deepEqual(await createSpentLedger(pool()).spentSince("spent", scope, fromMs, names), expected);
    }
  });
}
