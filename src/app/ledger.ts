import { join } from "node:path";
import { createLedgerStore } from "../adapters/postgres/ledger-store.ts";
import { createLedger, type DrainedLedger } from "../adapters/spool/ledger.ts";
import { openSpool } from "../adapters/spool/open-spool.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { OpeningDatabase } from "./database.ts";

const MEBIBYTE = 1024 * 1024;
/** How long the end of the service waits for the database; what is not stored then is stored after the next start. */
const FLUSH_TIMEOUT_MS = 5_000;

/** The spool, and behind it the store, which may arrive later or be away. */
export async function openLedger(
  config: Config,
  database: OpeningDatabase,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): Promise<DrainedLedger> {
  const spool = await openSpool({
    dir: join(config.data_dir, "spool"),
    maxBytes: config.spool.max_mb * MEBIBYTE,
    ...ports,
  });
  const ledger = createLedger({ spool, store: database.pool.then(createLedgerStore), ...ports });
  ledger.start();
  stack.defer(async () => {
    // A store that has not opened by now is not waited for: the spool keeps the records for the next start.
    if (database.isOpen()) await ledger.flush(FLUSH_TIMEOUT_MS);
    await ledger.close();
  });
  return ledger;
}
