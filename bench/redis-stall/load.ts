// A steady load of memory hits and of calls that nobody made before:
// load.ts <address> <hits a second> <misses a second> <seconds of each of the three phases, by commas>.
// Prints "started" when the first phase begins, and at the end what it saw in each phase as JSON.
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { GrpcCaller } from "../../test/support/grpc-caller.ts";
import { question } from "./questions.ts";

const KNOWN = 100;
const WARM_UP_MS = 5_000;
const TICK_MS = 2;
const NANOSECONDS_PER_MS = 1e6;

const [address = "", hitsPerSecond = "1", missesPerSecond = "1", seconds = "1,1,1"] = process.argv.slice(2);
const phases = seconds.split(",").map((text) => ({ ms: Number(text) * 1_000, ...counters() }));
const caller = new GrpcCaller(address);

interface Counters {
  hits: RecordableHistogram;
  misses: RecordableHistogram;
  failed: number;
  /** Calls that were meant to be hits and were not. */
  strays: number;
}

function counters(): Counters {
  return { hits: createHistogram(), misses: createHistogram(), failed: 0, strays: 0 };
}

async function call(name: string, isHit: boolean, phase: Counters): Promise<void> {
  const begin = performance.now();
  try {
    const { completion } = await caller.unary(PipelineService.method.complete, question(name), { timeoutMs: 10_000 });
    const times = isHit ? phase.hits : phase.misses;
    if (isHit && completion?.cacheStatus !== CacheStatus.MEMORY_HIT) phase.strays += 1;
    else times.record(Math.max(1, Math.round((performance.now() - begin) * NANOSECONDS_PER_MS)));
  } catch {
    phase.failed += 1;
  }
}

const underWay = new Set<Promise<void>>();
let asked = 0;

/** Makes calls for so long, each when it is due, whether others have ended or not. */
async function load(ms: number, phase: Counters): Promise<void> {
  const begin = performance.now();
  let [hits, misses] = [0, 0];
  const start = (name: string, isHit: boolean) => {
    const one = call(name, isHit, phase).finally(() => underWay.delete(one));
    underWay.add(one);
  };
  for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - begin) {
    for (; hits < (elapsed / 1_000) * Number(hitsPerSecond); hits += 1) start(`known-${hits % KNOWN}`, true);
    for (; misses < (elapsed / 1_000) * Number(missesPerSecond); misses += 1) start(`new-${asked++}`, false);
    await pause(TICK_MS);
  }
}

const at = (times: RecordableHistogram, share: number) =>
  (times.count > 0 ? times.percentile(share) : 0) / NANOSECONDS_PER_MS;

for (let known = 0; known < KNOWN; known += 1) await call(`known-${known}`, false, counters());
await load(WARM_UP_MS, counters());
console.log(JSON.stringify("started"));
for (const phase of phases) await load(phase.ms, phase);
await Promise.all(underWay);
caller.close();
const seen = phases.map(({ hits, misses, failed, strays }) => ({
  hits: hits.count,
  misses: misses.count,
  failed,
  strays,
  p50Ms: at(hits, 50),
  p99Ms: at(hits, 99),
  longestMs: at(hits, 100),
  missP99Ms: at(misses, 99),
}));
console.log(JSON.stringify({ phases: seen }));
