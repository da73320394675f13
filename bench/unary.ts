import type { Benchmark, Effort, Ratios } from "./benchmark.ts";
import { interleave, type Subject } from "./interleave.ts";
import { measureLatency } from "./wire/latency.ts";
import { coreMetrics, remarksOnLimits } from "./wire/limits-of-the-run.ts";
import {
  connectHttp2,
  floorHttp2,
  nativeHttp2,
  nativeWithoutValidation,
  type Server,
  underLoad,
  withServers,
} from "./wire/servers.ts";

const inFlight = 64;
const efforts = { full: { durationMs: 3000, rounds: 5 }, quick: { durationMs: 150, rounds: 1 } };

/** Unary gRPC through the whole server, with a pipeline that has its answer ready: throughput, CPU time, latency. */
export const unary: Benchmark = {
  name: "unary",
  measure: (effort) =>
    withServers(
      [floorHttp2, nativeHttp2, nativeWithoutValidation, connectHttp2],
      { deltas: 0, perSecond: 0 },
      async (servers) => {
        const throughput = await measureThroughput(servers, effort);
        const whole = servers.filter(({ kind }) => kind !== nativeWithoutValidation);
        return [throughput, ...(await measureLatency(whole, throughput.results, effort))];
      },
    ),
};

async function measureThroughput(servers: Server[], effort: Effort): Promise<Ratios> {
  const { durationMs, rounds } = efforts[effort];
  const results = await interleave(
    servers.map((server) => subject(server, durationMs)),
    rounds,
    { warmUp: effort === "full" },
  );
  return {
    kind: "ratios",
    title: "unary gRPC, 1 KB in and out",
    floor: floorHttp2.name,
    ratiosOf: ["calls/s", "CPU µs/call"],
    moreIsBetter: ["calls/s"],
    targets: [{ subject: nativeHttp2.name, metric: "calls/s", atLeast: 0.75 }],
    settings: { "in flight": inFlight, connections: 1, rounds, ms: durationMs },
    remarks: remarksOnLimits(results),
    results,
  };
}

function subject(server: Server, durationMs: number): Subject {
  return {
    name: server.kind.name,
    measure: async () => {
      const pace = { kind: "in flight", calls: inFlight, durationMs } as const;
      const seen = await underLoad(server, { kind: "unary", connections: 1, messages: 1, pace });
      return {
        "calls/s": seen.calls / seen.seconds,
        "CPU µs/call": seen.serverCpuMicros / seen.calls,
        ...coreMetrics(seen),
      };
    },
  };
}
