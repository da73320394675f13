import { createHash } from "node:crypto";
import type { Interceptor } from "@connectrpc/connect";
import type { TestServer, TestServerOptions } from "../rpc/support/test-server.ts";
import { startTestServer } from "../rpc/support/test-server.ts";
import { scriptedPipeline } from "./scripted-pipeline.ts";
import type { Wire } from "./wire.ts";

/** The one key that a `keyed` server knows. */
export const KEY = "sluice_the-key";

/** The origin of the one page that a `paged` server knows. */
export const PAGE = "https://app.example";

/** Ask for the metadata to be told: what the handler saw of the request, and copies of its `echo-` headers. */
export const ECHO_HEADER = "echo-metadata";

/** Headers that tell of the transport and the port rather than of the call. */
const OF_TRANSPORT = new Set(["host", "user-agent"]);

/** Small limits, so that the corpus may go beyond each of them. */
const limits = { messageBytes: 65_536, responseBytes: 262_144, compressMinBytes: 1024 };

/** How the servers of the corpus differ. */
const kinds = {
  plain: { limits },
  keyed: { limits, apiKeys: [{ id: "k", tenant: "acme", sha256: createHash("sha256").update(KEY).digest("hex") }] },
  /** Waits for a body for a tenth of a second only. */
  impatient: { limits: { ...limits, requestTimeoutMs: 100 } },
  /** Gives every call a deadline of a fifth of a second where it asks for none. */
  brief: { limits, deadlineMs: 200 },
  /** Takes a reader for stalled after a moment. */
  strict: { limits: { ...limits, slowReaderMs: 200 } },
  /** Takes two calls at once. */
  narrow: { limits, maxCalls: 2 },
  /** Knows a page of another origin. */
  paged: { limits, cors: [PAGE] },
} satisfies Record<string, TestServerOptions>;

export type ServerKind = keyof typeof kinds;

export interface WireServer extends TestServer {
  /** What the handlers saw, in order. */
  readonly journal: string[];
}

/** A whole server over the scripted pipeline, closed by `closeServers`. */
export async function startWireServer(wire: Wire, kind: ServerKind = "plain"): Promise<WireServer> {
  const journal: string[] = [];
  const pipeline = scriptedPipeline(journal, { drain: () => server.health.setDraining() });
  const server = await startTestServer({ ...kinds[kind], wire, ports: { pipeline }, interceptors: [echoMetadata] });
  return { ...server, journal };
}

const echoMetadata: Interceptor = (next) => async (request) => {
  const response = await next(request);
  if (!request.header.has(ECHO_HEADER)) return response;
  const seen = [...request.header].filter(([name]) => !OF_TRANSPORT.has(name)).sort();
  response.header.set("seen", Buffer.from(JSON.stringify(seen)).toString("base64"));
  for (const [name, value] of request.header) {
    if (name.startsWith("echo-header-")) response.header.append(name, value);
    if (name.startsWith("echo-trailer-")) response.trailer.append(name, value);
  }
  return response;
};
