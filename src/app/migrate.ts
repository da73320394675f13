import { join } from "node:path";
import { lockDataDir } from "../adapters/data-dir-lock.ts";
import { openPglite } from "../adapters/pglite/open.ts";
import { connectPostgres, type PostgresPool } from "../adapters/postgres/connect.ts";
import { migrate } from "../adapters/postgres/migrate.ts";
import type { Config } from "../config.ts";
import type { Log } from "../core/log.ts";
import { MIGRATIONS_DIR, RETRIEVAL_MIGRATIONS_DIR } from "./migrations.ts";

/**
 * Brings the configured database, or the embedded one, to this program's schema without starting the service: the
 * ledger's set first, which stays applied where that of retrieval fails.
 * @returns how many migrations were applied.
 * @throws MigrationError where the schema and the program do not fit or a file fails, DataDirLockedError where a server
 *   works in the data folder, EmbeddedDatabaseError, or the driver's error where Postgres is away: it is not waited for.
 */
export async function migrateDatabase(config: Config, log: Log): Promise<number> {
  await using opened = new AsyncDisposableStack();
  const pool = await openPool(config, log, opened);
  const applied = await migrate(pool, MIGRATIONS_DIR, log);
  return applied + (await migrate(pool, RETRIEVAL_MIGRATIONS_DIR, log, "sluice_retrieval_migrations"));
}

async function openPool(config: Config, log: Log, opened: AsyncDisposableStack): Promise<PostgresPool> {
  if (config.database_url !== undefined) {
    const pool = connectPostgres(config.database_url, { log });
    opened.defer(() => pool.end());
    return pool;
  }
  const lock = await lockDataDir(config.data_dir);
  opened.defer(() => lock.release());
  const embedded = await openPglite({ dir: join(config.data_dir, "pglite"), log });
  opened.defer(() => embedded.close());
  return embedded.pool;
}
