/**
 * A program that records calls as fast as it can until it is killed, and prints what it was acknowledged: `start`,
 * `end` or `call`, and the call's id. Arguments: the spool folder, and what to drain it to meanwhile: nothing, the URL of
 * a migrated Postgres, or the folder of an embedded database.
 */
import { openPglite } from "../../../src/adapters/pglite/open.ts";
import { connectPostgres } from "../../../src/adapters/postgres/connect.ts";
import { createLedgerStore } from "../../../src/adapters/postgres/ledger-store.ts";
import { createLedger } from "../../../src/adapters/spool/ledger.ts";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import { acknowledge } from "./acknowledge.ts";
import { attemptStarted, callFinished, endOf } from "./records.ts";

const [dir = "", database] = process.argv.slice(2);
const ports = { clock: systemClock, log: silentLog };
const spool = await openSpool({ dir, segmentBytes: 64 * 1024, ...ports });
if (database) {
  const pool = database.startsWith("postgres:")
    ? connectPostgres(database, ports)
    : (await openPglite({ dir: database, ...ports })).pool;
  createLedger({ spool, store: createLedgerStore(pool), ...ports }).start();
}

async function caller(): Promise<never> {
  for (;;) {
    const start = attemptStarted();
    await spool.record(start);
    acknowledge(`start ${start.call_id}`);
    await spool.record(endOf(start));
    acknowledge(`end ${start.call_id}`);
    await spool.record(callFinished(start));
    acknowledge(`call ${start.call_id}`);
  }
}

await Promise.all(Array.from({ length: 16 }, caller));
