import type { Benchmark } from "./benchmark.ts";
import { interleave, type Subject } from "./interleave.ts";
import { coreMetrics, remarksOnLimits } from "./wire/limits-of-the-run.ts";
import { eventsOf } from "./wire/messages.ts";
import { connectHttp2, floorHttp2, nativeHttp2, type Server, underLoad, withServers } from "./wire/servers.ts";

const [inFlight, deltas] = [64, 200];
const efforts = { full: { durationMs: 3000, rounds: 5 }, quick: { durationMs: 150, rounds: 1 } };

/** Streams of deltas over gRPC that are all there at once: what a message costs. */
export const stream: Benchmark = {
  name: "stream",
  measure: (effort) =>
    withServers([floorHttp2, nativeHttp2, connectHttp2], { deltas, perSecond: 0 }, async (servers) => {
      const { durationMs, rounds } = efforts[effort];
      const subjects = servers.map((server) => subject(server, durationMs));
      const results = await interleave(subjects, rounds, { warmUp: effort === "full" });
      return [
        {
          kind: "ratios",
          title: "gRPC streams of deltas that are ready",
          floor: floorHttp2.name,
          ratiosOf: ["messages/s", "CPU µs/message"],
          moreIsBetter: ["messages/s"],
          targets: [{ subject: nativeHttp2.name, metric: "CPU µs/message", atMost: 1.3 }],
          settings: { deltas, "in flight": inFlight, connections: 1, rounds, ms: durationMs },
          remarks: remarksOnLimits(results),
          results,
        },
      ];
    }),
};

function subject(server: Server, durationMs: number): Subject {
  return {
    name: server.kind.name,
    measure: async () => {
      const pace = { kind: "in flight", calls: inFlight, durationMs } as const;
      const seen = await underLoad(server, { kind: "stream", connections: 1, messages: eventsOf(deltas), pace });
      return {
        "messages/s": seen.messages / seen.seconds,
        "CPU µs/message": seen.serverCpuMicros / seen.messages,
        ...coreMetrics(seen),
      };
    },
  };
}
