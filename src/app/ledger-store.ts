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

interface OpenStore {
  readonly store: LedgerStore;
  close(): Promise<void>;
}

async function open(config: Config, ports: OpenPorts): Promise<OpenStore> {
  const { log, signal } = ports;
  if (config.database_url !== undefined) {
    const pool = connectPostgres(config.database_url, { log });
    const close = () => pool.end();
    return migrated({ pool, close }, () => migrateWhenThere(pool, MIGRATIONS_DIR, ports));
  }
  const embedded = await openPglite({ dir: join(config.data_dir, "pglite"), log, signal });
  return migrated(embedded, () => migrate(embedded.pool, MIGRATIONS_DIR, log));
}

/** The store over a database once its schema is there; where that fails, the database is closed. */
async function migrated(
  database: { readonly pool: Parameters<typeof createLedgerStore>[0]; close(): Promise<void> },
  migration: () => Promise<unknown>,
): Promise<OpenStore> {
  try {
    await migration();
  } catch (error) {
    await database.close();
    throw error;
  }
  return { store: createLedgerStore(database.pool), close: () => database.close() };
}
