import { join } from "node:path";
import { openPglite } from "../adapters/pglite/open.ts";
import { connectPostgres, type PostgresPool } from "../adapters/postgres/connect.ts";
import { migrate } from "../adapters/postgres/migrate.ts";
import { migrateWhenThere } from "../adapters/postgres/migrate-when-there.ts";
import type { Config } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { MIGRATIONS_DIR } from "./migrations.ts";

/** A database on its way: no call waits for it that does not need it. */
export interface OpeningDatabase {
  /** Resolves once its schema is the program's; rejects where that can never be, or the service stops first. */
  readonly pool: Promise<PostgresPool>;
  isOpen(): boolean;
}

/**
 * Opens the configured Postgres, or the embedded one in the data folder. A Postgres that is away is tried again
 * until it is there; a schema that is newer than this program is refused for good. What is opened, or still opening, is
 * closed with the stack.
 */
export function openDatabase(
  config: Config,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): OpeningDatabase {
  const closing = new AbortController();
  const opened = open(config, { ...ports, signal: closing.signal });
  let isOpen = false;
  opened.then(
    () => {
      isOpen = true;
    },
    (error: unknown) => {
      if (!closing.signal.aborted) ports.log.error("database_failed", { error });
    },
  );
  const pool = opened.then((database) => database.pool);
  // Whether or not somebody waits for it, a database that fails to open must not end the process.
  pool.catch(() => {});
  stack.defer(async () => {
    closing.abort(new Error("the service stops"));
    const database = await opened.catch(() => undefined);
    await database?.close();
  });
  return { pool, isOpen: () => isOpen };
}

interface OpenPorts {
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface OpenDatabase {
  readonly pool: PostgresPool;
  close(): Promise<void>;
}

async function open(config: Config, ports: OpenPorts): Promise<OpenDatabase> {
  const { log, signal } = ports;
  if (config.database_url !== undefined) {
    const pool = connectPostgres(config.database_url, { log });
    return migrated({ pool, close: () => pool.end() }, () => migrateWhenThere(pool, MIGRATIONS_DIR, ports));
  }
  const embedded = await openPglite({ dir: join(config.data_dir, "pglite"), log, signal });
  return migrated(embedded, () => migrate(embedded.pool, MIGRATIONS_DIR, log));
}

/** The database once its schema is there; where that fails, it is closed. */
async function migrated(database: OpenDatabase, migration: () => Promise<unknown>): Promise<OpenDatabase> {
  try {
    await migration();
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}
