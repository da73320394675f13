import { readFile } from "node:fs/promises";
import { Health as HealthService } from "../../gen/health/v1/health_pb.ts";
import { parseListenAddress } from "../config/listen-address.ts";
import type { Config } from "../config.ts";
import { createAuthenticator } from "../rpc/auth.ts";
import { createCallSetup } from "../rpc/call/call-setup.ts";
import { createHealth } from "../rpc/health.ts";
import { createReflection } from "../rpc/reflection.ts";
import { createRoutes, type ServicePorts, services } from "../rpc/routes.ts";
import { type ServerOptions, startServer } from "../rpc/server.ts";

export interface ListeningServer {
  readonly url: string;
  /** Health says NOT_SERVING while it is on. */
  setFault(name: string, isOn: boolean): void;
  /** Says NOT_SERVING, then drains. */
  drain(graceMs: number): Promise<{ readonly clean: boolean }>;
  close(): Promise<void>;
}

/** The services of the contract with health and reflection, on the configured address. */
export async function listen(
  config: Config,
  ports: ServicePorts & Pick<ServerOptions, "clock" | "log">,
): Promise<ListeningServer> {
  const health = createHealth(services);
  const reflection = createReflection([...services, HealthService]);
  const routes = createRoutes(ports);
  const server = await startServer({
    ...address(config),
    tls: await tlsFiles(config),
    cors: config.cors,
    hosts: config.hosts,
    limits: limitsOf(config),
    wire: config.wire,
    calls: createCallSetup({
      ...ports,
      authenticator: createAuthenticator(config.auth.api_keys),
      deadlineMs: config.defaults.deadline_ms,
      maxDeadlineMs: config.defaults.max_deadline_ms,
      maxCalls: config.limits.max_calls,
    }),
    routes(router) {
      routes(router);
      health.routes(router);
      reflection(router);
    },
    clock: ports.clock,
    log: ports.log,
  });
  return {
    url: server.url,
    setFault: (name, isOn) => health.setFault(name, isOn),
    close: () => server.close(),
    drain(graceMs) {
      health.setDraining();
      return server.drain(graceMs);
    },
  };
}

function address(config: Config): { host: string; port: number } {
  const parsed = parseListenAddress(config.listen);
  if (!parsed) throw new Error(`the checked configuration holds the address ${config.listen}`);
  return { host: parsed.host, port: parsed.port };
}

async function tlsFiles({ tls }: Config): Promise<ServerOptions["tls"]> {
  if (!tls) return undefined;
  const [cert, key, clientCa] = await Promise.all([
    readFile(tls.cert),
    readFile(tls.key),
    tls.client_ca === undefined ? undefined : readFile(tls.client_ca),
  ]);
  return { cert, key, clientCa };
}

function limitsOf({ limits }: Config): ServerOptions["limits"] {
  return {
    messageBytes: limits.message_bytes,
    headerBytes: limits.header_bytes,
    maxConnections: limits.max_connections,
    maxStreams: limits.max_streams,
    prefaceTimeoutMs: limits.preface_timeout_ms,
    headersTimeoutMs: limits.headers_timeout_ms,
    requestTimeoutMs: limits.request_timeout_ms,
    slowReaderMs: limits.slow_reader_ms,
    idleTimeoutMs: limits.idle_timeout_ms,
    responseBytes: limits.response_bytes,
    compressMinBytes: limits.compress_min_bytes,
    pingIntervalMs: limits.ping_interval_ms,
    pingTimeoutMs: limits.ping_timeout_ms,
  };
}
