import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startChild } from "./child.ts";

/** A Redis of the tests. `stop` may be called more than once. */
export interface RedisServer {
  url: string;
  port: number;
  pid: number | undefined;
  /** Ends it by `signal` (default SIGTERM) and removes its folder. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a Redis that keeps nothing on disk, on loopback; `port` default: a free one. */
export async function startRedis(program: string, port?: number): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-redis-"));
  const chosen = port ?? (await freePort());
  const child = await startChild(program, [
    ...["--port", String(chosen), "--bind", "127.0.0.1", "--dir", folder],
    ...["--save", "", "--appendonly", "no"],
  ]);
  await child.line((line) => (line.includes("Ready to accept connections") ? true : undefined));
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    pid: child.process.pid,
    stop: async (signal) => {
      await child.stop(signal);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
