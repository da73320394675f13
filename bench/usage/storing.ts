import { fileURLToPath } from "node:url";
import { INSERT_ROWS, rowParameters } from "../../src/adapters/postgres/ledger-rows.ts";
import { createLedgerStore } from "../../src/adapters/postgres/ledger-store.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import type { SpooledRecord } from "../../src/adapters/spool/record.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Effort, Ratios } from "../benchmark.ts";
import { interleave } from "../interleave.ts";
import type { NewDatabase } from "../usage.ts";
import { batches, records } from "./records.ts";

export const MIGRATIONS_DIR = fileURLToPath(new URL("../../migrations", import.meta.url));
const FLOOR = "rows alone";

/** What keeping the sums adds to the drain. Each subject stores the same calls in a database of its own. */
export async function measureStoring(effort: Effort, newDatabase: NewDatabase): Promise<Ratios> {
  const [calls, rounds] = effort === "full" ? [10_000, 5] : [500, 1];
  const subject = async (name: string, users: number, withSums: boolean) => {
    const pool = await newDatabase();
    await migrate(pool, MIGRATIONS_DIR, silentLog);
    const store = createLedgerStore(pool);
    const write = withSums
      ? (batch: SpooledRecord[]) => store.write(batch)
      : (batch: SpooledRecord[]) =>
          pool.query({ name: "rows", text: `${INSERT_ROWS} SELECT 1`, values: rowParameters(batch) });
    let round = 0;
    const measure = async () => {
      round += 1;
      let ms = 0;
      let count = 0;
      // An hour of traffic each time, the next hour.
      const endMs = Date.UTC(2026, 0, 1) + round * 3_600_000;
      for (const batch of batches(records({ calls, days: 1 / 24, features: 12, users, endMs, seed: round }))) {
        const startMs = performance.now();
        await write(batch);
        ms += performance.now() - startMs;
        count += batch.length;
      }
      return { "ms for 500 records": (ms / count) * 500 };
    };
    return { name, measure };
  };
  const subjects = [
    await subject(FLOOR, 300, false),
    await subject("rows and sums, 300 users", 300, true),
    await subject("rows and sums, 100,000 users", 100_000, true),
  ];
  return {
    kind: "ratios",
    title: "storing batches of the drain",
    floor: FLOOR,
    ratiosOf: ["ms for 500 records"],
    remarks: [
      "The floor stores the rows and nothing else, by one prepared statement. The drain stores one batch at a time.",
    ],
    settings: { calls, features: 12 },
    results: await interleave(subjects, rounds),
  };
}
