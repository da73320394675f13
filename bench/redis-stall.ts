import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CacheStatus } from "../gen/sluice/v1/completion_pb.ts";
import { PipelineService } from "../gen/sluice/v1/pipeline_service_pb.ts";
import type { Child } from "../test/support/child.ts";
import { GrpcCaller } from "../test/support/grpc-caller.ts";
import { findProgram } from "../test/support/programs.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { listeningUrl } from "../test/support/running-server.ts";
import { startScriptedUpstream, streamed } from "../test/support/scripted-upstream.ts";
import { startTcpProxy, type TcpProxy } from "../test/support/tcp-proxy.ts";
import type { Benchmark, Counts, Effort } from "./benchmark.ts";
import { startPinned } from "./processes.ts";
import { question } from "./redis-stall/questions.ts";
import { type Watched, watchFor } from "./redis-stall/watch.ts";

const HITS_PER_SECOND = 400;
const MISSES_PER_SECOND = 20;
const TARGET = 1.5;
/** Seconds before, during and after the stall. */
const efforts: Record<Effort, readonly [number, number, number]> = { full: [60, 30, 30], quick: [2, 2, 2] };
const title = "Redis stalled under load";

/** Memory hits and misses before, while and after Redis does not answer. */
export const redisStall: Benchmark = {
  name: "redis-stall",
  measure: async (effort) => {
    const program = findProgram("redis-server");
    if (program === undefined) {
      return [{ kind: "counts", title, remark: "Not measured: no redis-server on the PATH.", columns: [], rows: [] }];
    }
    await using surroundings = await startSurroundings(program);
    return [await measureStall(surroundings, efforts[effort])];
  },
};

interface Surroundings extends AsyncDisposable {
  readonly proxy: TcpProxy;
  /** The process under load, and another one that shares its Redis. */
  readonly loaded: Process;
  readonly other: Process;
}

interface Process {
  readonly child: Child;
  readonly address: string;
}

async function startSurroundings(program: string): Promise<Surroundings> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const redis = await startRedis(program);
  stack.defer(() => redis.stop());
  const proxy = await startTcpProxy(redis.port);
  stack.defer(() => proxy.close());
  const upstream = await startScriptedUpstream({ ...streamed(["The quay opens", " on Friday."]), delay_ms: 20 });
  stack.defer(() => upstream.close());
  const start = async (name: string): Promise<Process> => {
    const file = join(folder, `${name}.yaml`);
    const config = {
      data_dir: join(folder, name),
      database_url: "postgres://127.0.0.1:1/away",
      redis_url: `redis://127.0.0.1:${proxy.port}`,
      providers: { main: { base_url: `${upstream.url}/v1`, api_key: "sk-stall" } },
      models: { only: { provider: "main", model: "only-1", context_tokens: 8_192 } },
    };
    await writeFile(file, JSON.stringify(config));
    const child = await startPinned(0, ["src/main.ts", "serve", "--listen", "127.0.0.1:0", "--config", file]);
    stack.defer(async () => void (await child.stop()));
    return { child, address: new URL(await child.line(listeningUrl)).host };
  };
  const [loaded, other] = [await start("loaded"), await start("other")];
  const opened = stack.move();
  return { proxy, loaded, other, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function measureStall(
  { proxy, loaded, other }: Surroundings,
  seconds: readonly [number, number, number],
): Promise<Counts> {
  const settings = [String(HITS_PER_SECOND), String(MISSES_PER_SECOND), seconds.join(",")];
  const load = await startPinned(1, ["bench/redis-stall/load.ts", loaded.address, ...settings]);
  const callers = [new GrpcCaller(loaded.address), new GrpcCaller(other.address)] as const;
  try {
    await load.line((line) => (line === '"started"' ? true : undefined));
    const seen = load.line(phasesOf, 600_000);
    // Where something fails before it is waited for, that is what is told.
    seen.catch(() => {});
    const [before, during, after] = seconds.map((count) => count * 1_000);
    const watched: Watched[] = [];
    watched.push(await watchFor(before ?? 0, loaded.child.process.pid, callers[0]));
    proxy.stall();
    watched.push(await watchFor(during ?? 0, loaded.child.process.pid, callers[0]));
    proxy.resume();
    const [last, backMs] = await Promise.all([
      watchFor(after ?? 0, loaded.child.process.pid, callers[0]),
      untilShared(callers),
    ]);
    watched.push(last);
    return section(await seen, watched, backMs);
  } finally {
    for (const caller of callers) caller.close();
    await load.stop();
  }
}

interface Phase {
  readonly hits: number;
  readonly misses: number;
  readonly failed: number;
  readonly strays: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly missP99Ms: number;
}

function phasesOf(line: string): Phase[] | undefined {
  const said: unknown = JSON.parse(line);
  if (typeof said !== "object" || said === null || !("phases" in said) || !Array.isArray(said.phases)) return undefined;
  return said.phases;
}

/** Milliseconds until an answer of one process is first found by the other one. */
async function untilShared([first, second]: readonly [GrpcCaller, GrpcCaller]): Promise<number> {
  const startMs = performance.now();
  for (let tries = 0; performance.now() - startMs < 30_000; tries += 1) {
    const request = question(`shared-${tries}`);
    await first.unary(PipelineService.method.complete, request);
    const { completion } = await second.unary(PipelineService.method.complete, request);
    if (completion?.cacheStatus === CacheStatus.SHARED_HIT) return performance.now() - startMs;
  }
  throw new Error("nothing was shared within 30 s after the stall");
}

function section(phases: readonly Phase[], watched: readonly Watched[], backMs: number): Counts {
  const row = (name: string, pick: (phase: Phase, watch: Watched) => number | undefined): (string | number)[] => [
    name,
    ...phases.map((phase, index) => {
      const watch = watched[index];
      return (watch && pick(phase, watch)) ?? "";
    }),
  ];
  const [before, during] = phases;
  const ratio = (during?.p99Ms ?? Number.NaN) / (before?.p99Ms ?? Number.NaN);
  const failed = phases.reduce((sum, phase) => sum + phase.failed, 0);
  return {
    kind: "counts",
    title,
    remark:
      `${HITS_PER_SECOND} memory hits and ${MISSES_PER_SECOND} misses a second in one process, the load on another core. ` +
      `p99 of hits during / before: ${ratio.toFixed(2)} (at most ${TARGET}: ${ratio <= TARGET ? "met" : "MISSED"}). ` +
      `Failed calls: ${failed} (0: ${failed === 0 ? "met" : "MISSED"}). ` +
      `First answer shared again ${Math.round(backMs)} ms after the stall.`,
    columns: ["", "before", "during", "after"],
    rows: [
      row("memory hits", ({ hits }) => hits),
      row("misses", ({ misses }) => misses),
      row("failed calls", ({ failed: count }) => count),
      row("meant as hits, and not", ({ strays }) => strays),
      row("p50 of hits, ms", ({ p50Ms }) => p50Ms),
      row("p99 of hits, ms", ({ p99Ms }) => p99Ms),
      row("slowest hit, ms", ({ longestMs }) => longestMs),
      row("p99 of misses, ms", ({ missP99Ms }) => missP99Ms),
      row("highest RSS, MB", (_, { highestRssMb }) => highestRssMb),
      row("look-ups in Redis without an answer", (_, { unknown }) => unknown),
      row("answers not stored in Redis", (_, { unstored }) => unstored),
    ],
  };
}
