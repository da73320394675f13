import type { PostgresPool } from "../adapters/postgres/connect.ts";
import { createCorpusStore } from "../adapters/postgres/corpus-store.ts";
import { MigrationError, migrate } from "../adapters/postgres/migrate.ts";
import type { Clock } from "../core/clock.ts";
import type { CorpusStore } from "../core/corpus.ts";
import type { Log } from "../core/log.ts";
import type { OpeningDatabase } from "./database.ts";
import { RETRIEVAL_MIGRATIONS_DIR } from "./migrations.ts";

/** Whoever installs pgvector while the service runs need not start it anew. */
const RETRY_MS = 30_000;

/**
 * Collections in the database, once its schema for them is there. A Postgres without pgvector serves everything else: it
 * is said once, and looked for again.
 */
export function openCorpus(
  database: OpeningDatabase,
  ports: { readonly log: Log; readonly clock: Clock },
  stack: AsyncDisposableStack,
): CorpusStore {
  const closing = new AbortController();
  let obstacle: string | undefined;
  const pool = database.pool.then((opened) =>
    migrated(opened, { ...ports, signal: closing.signal }, (what) => {
      obstacle = what;
    }),
  );
  pool.catch(() => {});
  const store = createCorpusStore({ pool, obstacle: () => obstacle, ...ports });
  stack.defer(async () => {
    closing.abort(new Error("the service stops"));
    await store.close();
  });
  return store;
}

async function migrated(
  pool: PostgresPool,
  { log, clock, signal }: { readonly log: Log; readonly clock: Clock; readonly signal: AbortSignal },
  meet: (obstacle: string | undefined) => void,
): Promise<PostgresPool> {
  let said = "";
  for (;;) {
    signal.throwIfAborted();
    try {
      await migrate(pool, RETRIEVAL_MIGRATIONS_DIR, log, "sluice_retrieval_migrations");
      meet(undefined);
      return pool;
    } catch (error) {
      meet(error instanceof MigrationError ? "pgvector" : "postgres");
      // Each obstacle once: behind one that is out of the way there may be another.
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== said) log.error("retrieval_unavailable", { error });
      said = reason;
    }
    await clock.sleep(RETRY_MS, signal);
  }
}
