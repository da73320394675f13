import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../../core/error-code.ts";
import { type FileLock, lockFile } from "../file-lock.ts";
import { segmentNumber, segmentPath } from "./segment-file.ts";

/** The folder of one process's spool, held by a lock that dies with the process. */
export interface InstanceFolder {
  readonly name: string;
  readonly dir: string;
  /** Deletes the folder if it is empty, and gives the lock free. Segments that are left wait for the next process. */
  release(): Promise<void>;
}

/** Start time, process id, chance: names sort by age, and no name is used twice. */
const INSTANCE_NAME = /^[0-9]{13}-[0-9]+-[0-9a-f]{8}$/;

/** Creates the folder of this process. The lock comes first, so that nobody can take the folder for an abandoned one. */
export async function createInstance(spoolDir: string, nowMs: number): Promise<InstanceFolder> {
  await mkdir(spoolDir, { recursive: true, mode: 0o700 });
  const name = `${String(nowMs).padStart(13, "0")}-${process.pid}-${randomBytes(4).toString("hex")}`;
  const lock = lockFile(lockPath(spoolDir, name));
  if (!lock) throw new Error(`the lock of the new spool folder ${name} is taken`);
  await mkdir(join(spoolDir, name), { mode: 0o700 });
  return instanceFolder(spoolDir, name, lock);
}

/** Takes the folders that dead processes left, oldest first. Those of live processes are never touched. */
export async function adoptInstances(spoolDir: string): Promise<InstanceFolder[]> {
  const names = (await readdir(spoolDir)).filter((name) => INSTANCE_NAME.test(name)).sort();
  const adopted: InstanceFolder[] = [];
  for (const name of names) {
    const lock = lockFile(lockPath(spoolDir, name));
    if (!lock) continue;
    const folder = instanceFolder(spoolDir, name, lock);
    const isThere = await stat(folder.dir).then(
      () => true,
      () => false,
    );
    // Another process may have adopted and emptied it since the listing; then only our new lock file is left to remove.
    if (isThere) adopted.push(folder);
    else await folder.release();
  }
  return adopted;
}

/** The segments of a folder, oldest first, with their sizes. */
export async function listSegments(dir: string): Promise<{ path: string; number: number; bytes: number }[]> {
  const numbers = (await readdir(dir)).map(segmentNumber).filter((number) => number !== undefined);
  numbers.sort((a, b) => a - b);
  return Promise.all(
    numbers.map(async (number) => {
      const path = segmentPath(dir, number);
      return { path, number, bytes: (await stat(path)).size };
    }),
  );
}

function instanceFolder(spoolDir: string, name: string, lock: FileLock): InstanceFolder {
  const dir = join(spoolDir, name);
  return {
    name,
    dir,
    async release() {
      const isGone = await rmdir(dir).then(
        () => true,
        (error: unknown) => errorCode(error) === "ENOENT",
      );
      if (isGone) await rm(lockPath(spoolDir, name), { force: true });
      lock.release();
    },
  };
}

function lockPath(spoolDir: string, name: string): string {
  return join(spoolDir, `${name}.lock`);
}
