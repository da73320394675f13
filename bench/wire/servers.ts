import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { GrpcClient } from "../../test/rpc/support/grpc-client.ts";
import type { Child } from "../../test/support/child.ts";
import { cpuMicros, peakRssMb, startPinned } from "../processes.ts";
import type { Load, LoadSettings } from "./load-settings.ts";
import { apiKey, requestBytes } from "./messages.ts";
import type { ServerSettings } from "./server-settings.ts";

const [SERVER_CORE, LOAD_CORE] = [0, 1];
/** A server that is far behind is waited for so much longer than its load should take. */
const PATIENCE = 60;

/** What can be put under load. */
export interface ServerKind {
  name: string;
  script: string;
  protocol: "http1" | "http2";
  wire?: "native" | "connect";
  validates?: false;
}

export const floorHttp2: ServerKind = {
  name: "node:http2 by hand",
  script: "bench/wire/floor-http2.ts",
  protocol: "http2",
};
export const floorHttp1: ServerKind = {
  name: "node:http by hand",
  script: "bench/wire/floor-http1.ts",
  protocol: "http1",
};
const sluice = { script: "bench/wire/sluice-server.ts" };
export const nativeHttp2: ServerKind = { ...sluice, name: "sluice, wire: native", protocol: "http2", wire: "native" };
export const connectHttp2: ServerKind = {
  ...sluice,
  name: "sluice, wire: connect",
  protocol: "http2",
  wire: "connect",
};
/** Tells what of the difference to the floor is the wire, and what the validation of inputs. */
export const nativeWithoutValidation: ServerKind = {
  ...nativeHttp2,
  name: "the same, inputs not validated",
  validates: false,
};
export const nativeHttp1: ServerKind = { ...nativeHttp2, protocol: "http1" };
export const connectHttp1: ServerKind = { ...connectHttp2, protocol: "http1" };

type StreamSettings = Pick<ServerSettings, "deltas" | "perSecond">;

/** One that runs. */
export interface Server {
  kind: ServerKind;
  child: Child;
  port: number;
}

/** What a load saw, and what the server took for it. */
export interface Observed extends Load {
  serverCpuMicros: number;
  /** Share of a core that the server had while it was under load. */
  serverShare: number;
  /** Of the server before the load, and since it started. */
  startRssMb: number;
  peakRssMb: number;
}

/** Starts a server and lets an independent client call it, so that no wrong answers are counted. */
export async function startServer(kind: ServerKind, settings: StreamSettings): Promise<Server> {
  const argument: ServerSettings = { ...settings, wire: kind.wire, validates: kind.validates };
  const child = await startPinned(SERVER_CORE, [kind.script, JSON.stringify(argument)]);
  try {
    const port = await child.line((line) => Number(JSON.parse(line).port));
    if (kind.protocol === "http2") await check(port);
    return { kind, child, port };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function check(port: number): Promise<void> {
  const client = new GrpcClient({ host: "127.0.0.1", port });
  try {
    const metadata = { authorization: `Bearer ${apiKey}` };
    const outcome = await client.callRaw(PipelineService.method.complete, requestBytes, { metadata });
    const text = outcome.messages[0]?.completion?.text ?? "";
    if (outcome.code !== 0 || text.length < 500)
      throw new Error(`a call ended with ${outcome.code} ${outcome.message}`);
  } finally {
    client.close();
  }
}

/** Puts a server under a load, in a process of its own. */
export async function underLoad({ kind, child, port }: Server, load: Omit<LoadSettings, "port">): Promise<Observed> {
  const script = kind.protocol === "http1" ? "bench/wire/load-http1.ts" : "bench/wire/load-http2.ts";
  const { pid } = child.process;
  const [cpuBefore, startRssMb] = [cpuMicros(pid), peakRssMb(pid)];
  const process = await startPinned(LOAD_CORE, [script, JSON.stringify({ ...load, port })]);
  try {
    const seen = await process.line<Load>((line) => JSON.parse(line), patienceMs(load));
    const serverCpuMicros = cpuMicros(pid) - cpuBefore;
    const serverShare = serverCpuMicros / 1e6 / seen.seconds;
    return { ...seen, serverCpuMicros, serverShare, startRssMb, peakRssMb: peakRssMb(pid) };
  } finally {
    await process.stop();
  }
}

function patienceMs({ pace }: Pick<LoadSettings, "pace">): number {
  return 10_000 + PATIENCE * (pace.kind === "at once" ? 10_000 : pace.durationMs);
}

/** Starts servers, and stops them when `use` is done with them, well or not. */
export async function withServers<T>(
  kinds: readonly ServerKind[],
  settings: StreamSettings,
  use: (servers: Server[]) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  try {
    for (const kind of kinds) servers.push(await startServer(kind, settings));
    return await use(servers);
  } finally {
    for (const { child } of servers) await child.stop();
  }
}
