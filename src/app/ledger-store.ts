import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openPglite } from "../adapters/pglite/open.ts";
import { connectPostgres } from "../adapters/postgres/connect.ts";
import { createLedgerStore } from "../adapters/postgres/ledger-store.ts";
import { migrate } from "../adapters/postgres/migrate.ts";
import { migrateWhenThere } from "../adapters/postgres/migrate-when-there.ts";
import type { LedgerStore } from "../adapters/spool/ledger-store.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";

const MIGRATIONS_DIR = fileURLToPath(new URL("../../migrations", import.meta.url));

/** A store on its way: nothing waits for it but the ledger's drain. */
export interface OpeningStore {
  readonly store: Promise<LedgerStore>;
  isOpen(): boolean;
  /** Gives up what is still opening, and closes what is open. */
  close(): Promise<void>;
}

/**
 * Opens the configured Postgres, or the embedded one in the data folder. A Postgres that is away is tried again
 * until it is there; a schema that is newer than this program is refused for good, and records then wait in the spool.
 */
export function openLedgerStore(config: Config, ports: { log: Log; clock: Clock }): OpeningStore {
  const closing = new AbortController();
  const opened = open(config, { ...ports, signal: closing.signal });
  let isOpen = false;
  opened.then(
    () => {
      isOpen = true;
    },
    (error: unknown) => {
      if (!closing.signal.aborted) ports.log.error("ledger_store_failed", { error });
    },
  );
  return {
    store: opened.then(({ store }) => store),
    isOpen: () => isOpen,
    async close() {
      closing.abort(new Error("the service stops"));
      const database = await opened.catch(() => undefined);
      await database?.close();
    },
  };
}

interface OpenPorts {
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function open(config: Config, ports: OpenPorts): Promise<{ store: LedgerStore; close(): Promise<void> }> {
  const { log, signal } = ports;
  if (config.database_url !== undefined) {
    const pool = connectPostgres(config.database_url, { log });
    await migrateWhenThere(pool, MIGRATIONS_DIR, ports).catch(async (error: unknown) => {
      await pool.end();
      throw error;
    });
    return { store: createLedgerStore(pool), close: () => pool.end() };
  }
  const database = await openPglite({ dir: join(config.data_dir, "pglite"), log, signal });
  await migrate(database.pool, MIGRATIONS_DIR, log).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  return { store: createLedgerStore(database.pool), close: () => database.close() };
}
