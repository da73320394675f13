import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { CacheStatus } from "../gen/sluice/v1/completion_pb.ts";
import { CompleteResponseSchema, PipelineService } from "../gen/sluice/v1/pipeline_service_pb.ts";
import type { Child } from "../test/support/child.ts";
import { GrpcCaller } from "../test/support/grpc-caller.ts";
import { listeningUrl } from "../test/support/running-server.ts";
import type { Benchmark } from "./benchmark.ts";
import { request } from "./cache-hit/request.ts";
import { interleave, type Subject } from "./interleave.ts";
import { cpuMicros, startPinned } from "./processes.ts";

const inFlight = 64;
const efforts = { full: { durationMs: 3000, rounds: 5 }, quick: { durationMs: 200, rounds: 1 } };
const floor = "node:http2 by hand";

/** Unary Complete over gRPC, answered from memory, 64 calls in flight on one connection. */
export const cacheHit: Benchmark = {
  name: "cache-hit",
  measure: async (effort) => {
    const { durationMs, rounds } = efforts[effort];
    const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
    const servers: Child[] = [];
    try {
      const sluice = await startSluice(folder);
      servers.push(sluice.child);
      const byHand = await startPinned(0, ["bench/cache-hit/floor-server.ts", await cachedAnswer(sluice.address)]);
      servers.push(byHand);
      const address = `127.0.0.1:${await byHand.line((line) => Number(JSON.parse(line).port))}`;
      const results = await interleave(
        [subject(floor, address, byHand, durationMs), subject("sluice", sluice.address, sluice.child, durationMs)],
        rounds,
      );
      // The load may be what limits the calls per second of a fast server; its CPU time per call tells all the same.
      const ratiosOf = ["calls/s", "CPU µs/call"];
      const moreIsBetter = ["calls/s"];
      return [{ kind: "ratios", title: "unary calls answered from memory", floor, ratiosOf, moreIsBetter, results }];
    } finally {
      for (const server of servers) await server.stop();
      await rm(folder, { recursive: true });
    }
  },
};

async function startSluice(folder: string): Promise<{ child: Child; address: string }> {
  const config = join(folder, "sluice.yaml");
  await writeFile(config, JSON.stringify({ data_dir: join(folder, "data") }));
  const child = await startPinned(0, ["src/main.ts", "serve", "--listen", "127.0.0.1:0", "--config", config]);
  return { child, address: new URL(await child.line(listeningUrl)).host };
}

/** Fills the cache, and gives the answer from it in base64. */
async function cachedAnswer(address: string): Promise<string> {
  const caller = new GrpcCaller(address);
  try {
    await caller.unary(PipelineService.method.complete, request);
    const answer = await caller.unary(PipelineService.method.complete, request);
    if (answer.completion?.cacheStatus !== CacheStatus.MEMORY_HIT) throw new Error("the second call was no cache hit");
    return Buffer.from(toBinary(CompleteResponseSchema, answer)).toString("base64");
  } finally {
    caller.close();
  }
}

function subject(name: string, address: string, server: Child, durationMs: number): Subject {
  return {
    name,
    measure: async () => {
      const cpuBefore = cpuMicros(server.process.pid);
      const load = await startPinned(1, ["bench/cache-hit/load.ts", address, String(inFlight), String(durationMs)]);
      const seen = await load.line((line) => JSON.parse(line), durationMs * 10);
      await load.ended;
      const cpu = (cpuMicros(server.process.pid) - cpuBefore) / seen.calls;
      return { "calls/s": seen.calls / seen.seconds, "p50 ms": seen.p50, "p99 ms": seen.p99, "CPU µs/call": cpu };
    },
  };
}
