import { DatabaseSync } from "node:sqlite";

/** A lock that the operating system holds for this process until it is released or the process is gone. */
export interface FileLock {
  /** Calling it again does nothing. */
  release(): void;
}

const SQLITE_BUSY = 5;

/** Locks live as long as they are held, not as long as somebody remembers them: a collected one would be given free. */
const held = new Set<DatabaseSync>();

/**
 * Takes the lock that stands for `path`, whose folder must exist, or returns nothing if another holder lives.
 *
 * Node has no `flock`, and a file with a process id in it cannot tell a dead holder from one in another container that
 * shares the volume, nor be taken over without a race. SQLite, which Node brings, locks a file with the system's own
 * advisory locks: an exclusive transaction that never writes holds one, and the kernel drops it with the process,
 * `kill -9` included. The file stays empty and means nothing by itself.
 * @throws Error where the file system has no locks, or the file cannot be created.
 */
export function lockFile(path: string): FileLock | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // Otherwise an empty journal file would lie beside the lock.
    database.exec("PRAGMA journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    if (isBusy(error)) return undefined;
    throw new Error(`cannot lock ${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  held.add(database);
  return {
    release() {
      if (held.delete(database)) database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}
