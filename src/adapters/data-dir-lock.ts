import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockFile } from "./file-lock.ts";
import { makeFolder } from "./folder.ts";

/** The right to be the one process that works in a data folder. */
export interface DataDirLock {
  /** Gives the folder free. Calling it again does nothing. */
  release(): Promise<void>;
}

/** Another live process works in the data folder. */
export class DataDirLockedError extends Error {
  readonly dir: string;
  /** Process id of the holder as it sees itself; absent where it could not be read. */
  readonly pid: number | undefined;

  constructor(dir: string, pid: number | undefined) {
    const holder = pid === undefined ? "another process" : `the process ${pid}`;
    super(`the data folder ${dir} is in use by ${holder}; stop it, or give this one a data_dir of its own`);
    this.name = "DataDirLockedError";
    this.dir = dir;
    this.pid = pid;
  }
}

/**
 * Takes a data folder, which is created if need be (readable by its owner only), for this process: the embedded
 * database has no lock of its own, and a second process that opens it loses rows silently. A lock dies with its
 * process, so there is nothing to clean up after a crash. The file `sluice.pid` only names the holder for people.
 * @throws DataDirLockedError when a live process holds the folder; Error when the folder cannot be made or locked.
 */
export async function lockDataDir(dir: string): Promise<DataDirLock> {
  await makeFolder(dir);
  const pidFile = join(dir, "sluice.pid");
  const lock = lockFile(join(dir, "sluice.lock"));
  if (!lock) throw new DataDirLockedError(dir, await readPid(pidFile));
  try {
    await writeFile(pidFile, `${process.pid}\n`);
  } catch (error) {
    lock.release();
    throw error;
  }
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      await rm(pidFile, { force: true });
      lock.release();
    },
  };
}

async function readPid(pidFile: string): Promise<number | undefined> {
  const text = await readFile(pidFile, "utf8").catch(() => "");
  return /^[1-9][0-9]{0,9}\n$/.test(text) ? Number(text) : undefined;
}
