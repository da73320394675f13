import pg from "pg";
import type { Log } from "../../core/log.ts";
import { survivingIdleErrors } from "../postgres/connect.ts";
import { WorkerSocket } from "./worker-socket.ts";
import { WorkerThread } from "./worker-thread.ts";

/** An open embedded database. */
export interface EmbeddedDatabase {
  /** One connection at most: the database has a single session. `end()` is called by `close`. */
  readonly pool: pg.Pool;
  /** Waits for the statement under way, closes the database and ends its thread. */
  close(): Promise<void>;
}

/** The folder of the embedded database cannot be opened. */
export class EmbeddedDatabaseError extends Error {
  readonly dir: string;

  constructor(dir: string, cause: unknown) {
    super(
      `the embedded database in ${dir} cannot be opened; if the folder is damaged, restore it from a backup or move it away to start with an empty one`,
      { cause },
    );
    this.name = "EmbeddedDatabaseError";
    this.dir = dir;
  }
}

/**
 * Opens PGlite in a thread of its own, with `pg` on top. A new folder takes 4 to 8 seconds, an existing one less than
 * one; the main thread goes on meanwhile. If the thread dies later, the next connection starts another.
 *
 * Killing the process loses nothing that was committed; PGlite never calls fsync, so a power cut may. Statements cannot
 * be cancelled, and `statement_timeout` has no effect.
 * @param options.dir folder of the database alone, whose parent exists. The caller holds the lock of the data folder:
 *   PGlite has none, and two processes in one folder destroy it.
 * @param options.signal gives up while opening.
 * @throws EmbeddedDatabaseError; the signal's reason.
 */
export async function openPglite(options: {
  readonly dir: string;
  readonly log: Log;
  readonly signal?: AbortSignal;
}): Promise<EmbeddedDatabase> {
  const { dir, log } = options;
  const closing = new AbortController();
  const start = async (signal: AbortSignal): Promise<WorkerThread> => {
    try {
      return await WorkerThread.start({ dir }, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new EmbeddedDatabaseError(dir, error);
    }
  };

  const opening = options.signal ? AbortSignal.any([closing.signal, options.signal]) : closing.signal;
  let thread = await start(opening);
  let restarting: Promise<WorkerThread> | undefined;

  const runningThread = async (): Promise<WorkerThread> => {
    if (!thread.isOver) return thread;
    if (!restarting) {
      log.warn("embedded_database_restarting", { dir });
      restarting = start(closing.signal);
    }
    try {
      thread = await restarting;
      return thread;
    } finally {
      restarting = undefined;
    }
  };

  const pool = new pg.Pool({
    user: "postgres",
    database: "postgres",
    application_name: "sluice",
    max: 1,
    idleTimeoutMillis: 0,
    stream: () => new WorkerSocket(async () => (await runningThread()).openSession()),
  });
  survivingIdleErrors(pool, log);

  return {
    pool,
    async close() {
      await pool.end();
      closing.abort(new Error("the embedded database is closed"));
      await thread.close();
    },
  };
}
