import { execFileSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";

export interface ProcessLoad {
  readonly rssGrowthBytes: number;
  readonly longestBlockMs: number;
}

const PROBE_INTERVAL_MS = 10;

/** Resident memory of a process, in bytes. */
export function rssBytes(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}

/**
 * Watches a service from outside: how much its memory grows at most, and how long it leaves a health check, which costs
 * it nothing, unanswered. `stop` ends the watching and gives what was seen.
 */
export function watchProcess(address: string, pid: number): { stop(): Promise<ProcessLoad> } {
  const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  const before = rssBytes(pid);
  let highest = before;
  let longestBlockMs = 0;
  let isWatching = true;
  const watching = (async () => {
    for (let turn = 0; isWatching; turn += 1) {
      const askedAt = performance.now();
      await ask(client);
      longestBlockMs = Math.max(longestBlockMs, performance.now() - askedAt);
      if (turn % 10 === 0) highest = Math.max(highest, rssBytes(pid));
      await pause(PROBE_INTERVAL_MS);
    }
  })();
  return {
    async stop() {
      isWatching = false;
      await watching;
      client.close();
      highest = Math.max(highest, rssBytes(pid));
      return { rssGrowthBytes: highest - before, longestBlockMs };
    },
  };
}

/** An empty health check; its answer's content does not matter. */
function ask(client: Client): Promise<void> {
  const bytes = (value: Buffer) => value;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest("/grpc.health.v1.Health/Check", bytes, bytes, Buffer.alloc(0), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
