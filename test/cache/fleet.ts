import { type CallResult, type CallSettings, PipelineCaller } from "../faults/grpc-calls.ts";
import { GrpcCaller } from "../support/grpc-caller.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { PATIENCE_MS } from "./eventually.ts";
import { type Provider, prices, type Question, startProvider } from "./provider.ts";

/** A service in a process of its own. */
export interface Member {
  readonly server: RunningServer;
  readonly caller: PipelineCaller;
  /** For services besides the pipeline's. */
  readonly grpc: GrpcCaller;
  /** Ends it, by `signal` where given; more than once is fine. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Two service processes that ask one provider. */
export interface Fleet {
  readonly provider: Provider;
  readonly members: readonly Member[];
  /** The first and the second process. */
  pair(): readonly [Member, Member];
  /** Starts a process in place of each that was stopped. */
  restore(): Promise<void>;
  stop(): Promise<void>;
}

/** A database that is away: no test of the cache needs one, nor waits for its start. */
const AWAY = "postgres://127.0.0.1:1/away";

/** What sluice.yaml holds, over what all processes have in common; where it is a function, by the process's number. */
export type FleetConfig = Readonly<Record<string, unknown>> | ((index: number) => Readonly<Record<string, unknown>>);

async function startFleet(config: FleetConfig): Promise<Fleet> {
  const provider = await startProvider();
  const members: Member[] = [];
  const stopped = new Set<Member>();
  const start = async (index: number) => {
    const own = typeof config === "function" ? config(index) : config;
    const member = await startMember({ ...commonConfig(provider.url), ...own }, () => stopped.add(member));
    return member;
  };
  const stop = async () => {
    await Promise.all(members.map((member) => member.stop()));
    await provider.close();
  };
  try {
    members.push(...(await Promise.all([0, 1].map(start))));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    provider,
    members,
    pair() {
      const [first, second] = members;
      if (!first || !second) throw new Error("the fleet is no pair");
      return [first, second];
    },
    async restore() {
      for (const [index, member] of members.entries()) {
        if (stopped.delete(member)) members[index] = await start(index);
      }
    },
    stop,
  };
}

/** Starts two processes before the tests of the enclosing suite and ends them after them. */
export function useFleet(config: () => Promise<FleetConfig>): () => Fleet {
  let fleet: Fleet | undefined;
  before("starts the service twice", async function () {
    this.timeout(60_000);
    fleet = await startFleet(await config());
  });
  after("stops the service", async () => await fleet?.stop());
  return () => {
    if (!fleet) throw new Error("the fleet is not started before the suite's hooks have run");
    return fleet;
  };
}

async function startMember(config: Record<string, unknown>, onStopped: () => void): Promise<Member> {
  const server = await startServer({ config });
  const caller = new PipelineCaller(server.address);
  const grpc = new GrpcCaller(server.address);
  let ended: Promise<unknown> | undefined;
  return {
    server,
    caller,
    grpc,
    async stop(signal) {
      if (ended === undefined) {
        onStopped();
        ended = server.stop(signal);
        await ended;
        caller.close();
        grpc.close();
      }
      await ended;
    },
  };
}

function commonConfig(providerUrl: string): Record<string, unknown> {
  return {
    database_url: AWAY,
    drain_ms: 1_000,
    providers: { main: { base_url: `${providerUrl}/v1`, api_key: "sk-cache", max_concurrency: 512 } },
    models: { only: { provider: "main", model: "only-1", context_tokens: 8192 } },
    retry: { max_attempts: 1, backoff_base_ms: 20, backoff_max_ms: 50 },
    prices,
  };
}

export type Method = "complete" | "stream";

/** Asks a process. Every call has a deadline, so that a test that waits for ever fails by it. */
export function ask(
  { caller }: Member,
  method: Method,
  question: Question,
  { more, ...settings }: CallSettings & { readonly more?: Parameters<Question["input"]>[0] } = {},
): Promise<CallResult> {
  return caller[method](question.input(more), { deadlineMs: PATIENCE_MS, ...settings });
}
