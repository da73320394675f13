import { execFileSync } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { type Child, freePort, run, startChild } from "../support/child.ts";
import { findPostgres } from "../support/programs.ts";

/** A Postgres of the test's own that can be stopped and started again with the same data at the same address. */
export interface StoppablePostgres {
  readonly url: string;
  /** As in a crash of its machine: nobody is told, and no statement under way is finished. */
  stop(): Promise<void>;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** Stops it for good and removes its data. */
  remove(): Promise<void>;
}

const PATIENCE_MS = 60_000;

/** @throws Error where the machine has no programs of a server. */
export async function startStoppablePostgres(): Promise<StoppablePostgres> {
  const installation = findPostgres();
  if (!installation) throw new Error("there are no Postgres server programs: only a server of our own can be stopped");
  const program = (name: string) => join(installation.binFolder, name);
  const folder = await mkdtemp(join(tmpdir(), "sluice-outage-"));
  const data = join(folder, "data");
  const user = owner();
  if (user) await chown(folder, user.uid, user.gid);
  const options = { ...user, cwd: folder };
  const created = await run(program("initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], options);
  if (created.code !== 0) throw new Error(`initdb ended with ${created.code}:\n${created.stderr}`);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let child: Child | undefined;
  const start = async () => {
    // With fsync: after a stop in the middle of everything it has to recover what was committed.
    const args = ["-D", data, "-k", folder, "-h", "127.0.0.1", "-p", String(port)];
    child = await startChild(program("postgres"), args, options);
    const endAt = performance.now() + PATIENCE_MS;
    while (!(await answers(url))) {
      if (performance.now() > endAt) throw new Error(`Postgres does not answer:\n${child.output()}`);
      await pause(50);
    }
  };
  // SIGQUIT is Postgres' immediate shutdown.
  const stop = async () => void (await child?.stop("SIGQUIT"));
  await start();
  return {
    url,
    start,
    stop,
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Postgres refuses to run as root. */
function owner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
