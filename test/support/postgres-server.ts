import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Child, freePort, run, startChild } from "./child.ts";

/** A Postgres of the tests. */
export interface PostgresServer {
  /** URL of its maintenance database, for a superuser. */
  url: string;
  /** Ends it at once by `signal` (default SIGINT, Postgres' fast shutdown) and removes its data. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** The user to run Postgres as: undefined for our own, since it refuses to run as root. */
function databaseUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Creates a data folder and starts a Postgres on a free loopback port. Takes a few seconds. */
export async function startPostgres(binFolder: string): Promise<PostgresServer> {
  const user = databaseUser();
  const folder = await mkdtemp(join(tmpdir(), "sluice-postgres-"));
  if (user) await chown(folder, user.uid, user.gid);
  const options = { ...user, cwd: folder };
  const created = await run(
    join(binFolder, "initdb"),
    [
      "--pgdata",
      join(folder, "data"),
      "--username=postgres",
      "--auth=trust",
      "--encoding=UTF8",
      "--no-locale",
      "--no-sync",
    ],
    options,
  );
  if (created.code !== 0) throw new Error(`initdb ended with ${created.code}:\n${created.stderr}`);
  const port = await freePort();
  const child = await startChild(
    join(binFolder, "postgres"),
    ["-D", join(folder, "data"), "-k", folder, "-h", "127.0.0.1", "-p", String(port), "-F"],
    options,
  );
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await waitUntilItAnswers(url, child);
  return {
    url,
    stop: async (signal = "SIGINT") => {
      await child.stop(signal);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function waitUntilItAnswers(url: string, child: Child): Promise<void> {
  let gone = false;
  void child.ended.then(() => {
    gone = true;
  });
  for (let tries = 0; tries < 200 && !gone; tries += 1) {
    if (await answers(url)) return;
    await sleep(100);
  }
  await child.stop("SIGKILL");
  throw new Error(`Postgres did not answer:\n${child.output()}`);
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

/** An empty database of its own for one suite. */
export interface TestDatabase {
  url: string;
  /** Closes the connections of others and removes it. */
  drop(): Promise<void>;
}

/** Creates an empty database on the server at `serverUrl`, whose user must be allowed to. */
export async function createDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `sluice_test_${randomUUID().replaceAll("-", "")}`;
  await statement(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => statement(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function statement(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
