import type pg from "pg";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { MigrationError, migrate } from "./migrate.ts";

const BACKOFF_BASE_MS = 250;
const BACKOFF_MAX_MS = 10_000;

/**
 * Migrates a database that may be away now and come back: tries again, 250 ms to 10 s apart, until it is migrated.
 * @throws MigrationError when the schema and the program do not fit; the signal's reason when it is aborted.
 */
export async function migrateWhenThere(
  pool: pg.Pool,
  dir: string,
  ports: { readonly log: Log; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { log, clock, signal } = ports;
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    try {
      await migrate(pool, dir, log);
      if (failures > 0) log.info("database_back", { failures });
      return;
    } catch (error) {
      if (error instanceof MigrationError) throw error;
      if (failures === 0) log.warn("database_away", { error });
    }
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures, 10));
    await clock.sleep(ceiling * (0.5 + clock.random() / 2), signal);
  }
}
