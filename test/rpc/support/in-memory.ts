import type { DescService } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { type ApiKey, createAuthenticator } from "../../../src/rpc/auth.ts";
import { createCallSetup } from "../../../src/rpc/call/call-setup.ts";
import { createRoutes, type ServicePorts } from "../../../src/rpc/routes.ts";
import { fakePorts } from "./fake-ports.ts";
import { memoryLog } from "./test-server.ts";

export interface InMemoryOptions {
  readonly ports?: Partial<ServicePorts>;
  readonly apiKeys?: readonly ApiKey[];
  readonly deadlineMs?: number;
  readonly maxDeadlineMs?: number;
  readonly maxCalls?: number;
}

/** The services behind their call set-up, without a socket. */
export function inMemory(options: InMemoryOptions = {}) {
  const { apiKeys = [], deadlineMs = 10_000, maxDeadlineMs = 20_000, maxCalls = 100 } = options;
  const log = memoryLog();
  const authenticator = createAuthenticator(apiKeys);
  const setup = createCallSetup({ clock: systemClock, log, authenticator, deadlineMs, maxDeadlineMs, maxCalls });
  const transport = createRouterTransport(createRoutes(fakePorts({ log, ...options.ports })), {
    router: { requestGate: setup.requestGate, interceptors: setup.interceptors },
  });
  return {
    log,
    setup,
    client: <Desc extends DescService>(service: Desc): Client<Desc> => createClient(service, transport),
  };
}

/** What a failed call told its caller. */
export async function failureOf(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const [info] = error.findDetails(ErrorInfoSchema);
    const [badRequest] = error.findDetails(BadRequestSchema);
    return {
      error,
      reason: info?.reason,
      callId: info?.metadata.call_id,
      fields: badRequest?.fieldViolations.map(({ field }) => field) ?? [],
    };
  }
  throw new Error("the call did not fail");
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Waits for something to become true, for at most five seconds. */
export async function until(isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`still not true after 5 s: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
