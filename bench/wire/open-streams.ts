import type { Effort, Ratios, Target } from "../benchmark.ts";
import { interleave, type Subject } from "../interleave.ts";
import { coreMetrics } from "./limits-of-the-run.ts";
import { eventsOf } from "./messages.ts";
import { type ServerKind, underLoad, withServers } from "./servers.ts";

/** Fewer than a server allows on an HTTP/2 connection. */
const STREAMS_PER_CONNECTION = 250;
const perSecond = 20;
const efforts = {
  full: { streams: 5000, deltas: 200, rounds: 3 },
  quick: { streams: 200, deltas: 4, rounds: 1 },
};

export interface OpenStreams {
  title: string;
  floor: ServerKind;
  subjects: ServerKind[];
  targets: Target[];
}

/** Many streams at once that each get a delta from time to time, on servers that are started for it. */
export async function measureOpenStreams(
  { title, floor, subjects, targets }: OpenStreams,
  effort: Effort,
): Promise<Ratios> {
  const { streams, deltas, rounds } = efforts[effort];
  const connections = floor.protocol === "http1" ? streams : Math.ceil(streams / STREAMS_PER_CONNECTION);
  const results = await interleave(
    [floor, ...subjects].map((kind) => subject(kind, { streams, deltas, connections })),
    rounds,
    { warmUp: false },
  );
  return {
    kind: "ratios",
    title,
    floor: floor.name,
    ratiosOf: ["seconds", "peak RSS MB", "CPU s"],
    targets,
    settings: { streams, "deltas of each": deltas, "messages/s of each": perSecond, connections, rounds },
    remarks: [`at the intended pace it takes ${eventsOf(deltas) / perSecond} s and a little more`],
    results,
  };
}

function subject(
  kind: ServerKind,
  { streams, deltas, connections }: { streams: number; deltas: number; connections: number },
): Subject {
  return {
    name: kind.name,
    // The library takes minutes for what others do in seconds.
    ...(kind.wire === "connect" && { maxRounds: 1 }),
    measure: () =>
      withServers([kind], { deltas, perSecond }, async ([server]) => {
        if (!server) throw new Error("no server was started");
        const pace = { kind: "at once", calls: streams } as const;
        const seen = await underLoad(server, { kind: "stream", connections, messages: eventsOf(deltas), pace });
        return {
          seconds: seen.seconds,
          "peak RSS MB": seen.peakRssMb,
          "RSS before MB": seen.startRssMb,
          "CPU s": seen.serverCpuMicros / 1e6,
          ...coreMetrics(seen),
        };
      }),
  };
}
