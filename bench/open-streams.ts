import type { Benchmark } from "./benchmark.ts";
import { measureOpenStreams } from "./wire/open-streams.ts";
import { connectHttp2, floorHttp2, nativeHttp2 } from "./wire/servers.ts";

const subject = nativeHttp2.name;

/** Thousands of answers at once, at the speed of models: gRPC. */
export const openStreams: Benchmark = {
  name: "open-streams",
  measure: async (effort) => [
    await measureOpenStreams(
      {
        title: "open gRPC streams",
        floor: floorHttp2,
        subjects: [nativeHttp2, connectHttp2],
        targets: [
          { subject, metric: "seconds", atMost: 1.3 },
          { subject, metric: "peak RSS MB", atMost: 1.6 },
        ],
      },
      effort,
    ),
  ],
};
