import type { Benchmark } from "./benchmark.ts";
import { measureOpenStreams } from "./wire/open-streams.ts";
import { connectHttp1, floorHttp1, nativeHttp1 } from "./wire/servers.ts";

/** The same to browsers: Connect over HTTP/1.1, a connection for each stream. */
export const browserStreams: Benchmark = {
  name: "browser-streams",
  measure: async (effort) => [
    await measureOpenStreams(
      {
        title: "open Connect streams over HTTP/1.1",
        floor: floorHttp1,
        subjects: [nativeHttp1, connectHttp1],
        targets: [{ subject: nativeHttp1.name, metric: "seconds", atMost: 2 }],
      },
      effort,
    ),
  ],
};
