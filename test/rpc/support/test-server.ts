import type { ConnectRouter } from "@connectrpc/connect";
import { systemClock } from "../../../src/core/clock.ts";
import type { Log, LogFields } from "../../../src/core/log.ts";
import { type ApiKey, createAuthenticator } from "../../../src/rpc/auth.ts";
import { type CallSetup, createCallSetup } from "../../../src/rpc/call/call-setup.ts";
import { createHealth, type Health } from "../../../src/rpc/health.ts";
import { createReflection } from "../../../src/rpc/reflection.ts";
import { createRoutes, type ServicePorts, services } from "../../../src/rpc/routes.ts";
import { type Server, type ServerOptions, startServer } from "../../../src/rpc/server.ts";
import { fakePorts } from "./fake-ports.ts";

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps every line. */
export function memoryLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (event: string, fields: LogFields = {}) => void lines.push({ event, fields });
  return { lines, isEnabled: () => true, debug: write, info: write, warn: write, error: write };
}

export interface TestServer extends Server {
  readonly calls: CallSetup;
  readonly health: Health;
  readonly log: ReturnType<typeof memoryLog>;
}

export interface TestServerOptions extends Partial<Omit<ServerOptions, "calls" | "clock" | "log" | "routes">> {
  readonly ports?: Partial<ServicePorts>;
  readonly apiKeys?: readonly ApiKey[];
  readonly deadlineMs?: number;
  readonly maxDeadlineMs?: number;
  readonly maxCalls?: number;
}

const running: Server[] = [];

/** Closes what the tests of a file started, whether they passed or not; for `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.close()));
}

/** A whole server on a free port of loopback, over fakes of the ports. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { ports, apiKeys = [], deadlineMs = 10_000, maxDeadlineMs = 20_000, maxCalls = 100, ...rest } = options;
  const log = memoryLog();
  const health = createHealth(services);
  const authenticator = createAuthenticator(apiKeys);
  const calls = createCallSetup({ clock: systemClock, log, authenticator, deadlineMs, maxDeadlineMs, maxCalls });
  const routes = (router: ConnectRouter) => {
    createRoutes(fakePorts({ log, ...ports }))(router);
    health.routes(router);
    createReflection(services)(router);
  };
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    cors: [],
    hosts: [],
    ...rest,
    calls,
    routes,
    clock: systemClock,
    log,
  });
  running.push(server);
  return { ...server, calls, health, log };
}
