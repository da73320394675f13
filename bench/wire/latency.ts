import type { Effort, Ratios } from "../benchmark.ts";
import { interleave, type Result, type Subject } from "../interleave.ts";
import { floorHttp2, type Server, underLoad } from "./servers.ts";

const connections = 4;
const late = "load late p99 ms";
const MAX_LATE_MS = 1;
const efforts = {
  full: { durationMs: 3000, rounds: 5, shares: [0.5, 0.8] },
  quick: { durationMs: 150, rounds: 1, shares: [0.5] },
};

/**
 * Latency of unary calls that arrive at a fixed rate whether the server keeps up or not, each from when it was meant to
 * start. The rates are shares of each server's own throughput; with it all servers are measured that can serve so many.
 */
export async function measureLatency(
  servers: Server[],
  throughput: Map<string, Result>,
  effort: Effort,
): Promise<Ratios[]> {
  const { shares } = efforts[effort];
  const capacity = ({ kind }: Server) => throughput.get(kind.name)?.["calls/s"]?.median ?? 0;
  const sections: Ratios[] = [];
  for (const reference of servers) {
    for (const share of shares) {
      const rate = Math.round(capacity(reference) * share);
      const able = servers.filter((server) => server.kind === floorHttp2 || capacity(server) > rate);
      const unable = servers.filter((server) => !able.includes(server)).map(({ kind }) => kind.name);
      const title = `latency of unary gRPC at ${share * 100} % of the throughput of ${reference.kind.name}`;
      const section = await atRate(able, rate, effort);
      const remarks = [
        ...(unable.length > 0 ? [`cannot serve so many: ${unable.join(", ")}`] : []),
        ...remarksOnLateness(section.results),
      ];
      sections.push({ ...section, title, remarks });
    }
  }
  return sections;
}

async function atRate(servers: Server[], rate: number, effort: Effort): Promise<Omit<Ratios, "title">> {
  const { durationMs, rounds } = efforts[effort];
  const results = await interleave(
    servers.map((server) => subject(server, rate, durationMs)),
    rounds,
    { warmUp: false },
  );
  return {
    kind: "ratios",
    floor: floorHttp2.name,
    ratiosOf: ["p50 ms", "p99 ms", "p99.9 ms"],
    settings: { "calls/s": rate, connections, rounds, ms: durationMs },
    results,
  };
}

function subject(server: Server, perSecond: number, durationMs: number): Subject {
  return {
    name: server.kind.name,
    measure: async () => {
      const pace = { kind: "at a rate", perSecond, durationMs } as const;
      const seen = await underLoad(server, { kind: "unary", connections, messages: 1, pace });
      return { "p50 ms": seen.p50, "p99 ms": seen.p99, "p99.9 ms": seen.p999, [late]: seen.lateP99 };
    },
  };
}

/** A load that turns on a core of its own is late only where it does not have the core for itself. */
function remarksOnLateness(results: Map<string, Result>): string[] {
  const subjects = [...results].filter(([, result]) => (result[late]?.median ?? 0) > MAX_LATE_MS).map(([name]) => name);
  if (subjects.length === 0) return [];
  return [`other work kept the load from its core: believe no latencies of ${subjects.join(", ")}`];
}
