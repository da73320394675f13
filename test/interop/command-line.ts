import assert from "node:assert/strict";
import { until } from "../rpc/support/in-memory.ts";
import { type Ran, run, startChild } from "../support/child.ts";
import type { WireServer } from "../wire/wire-server.ts";
import { type StepName, steps } from "./steps.ts";

/** What a program sends; the contract it asks the server for, by reflection. */
export interface Request {
  /** `package.Service/Method`. */
  readonly method: string;
  readonly body: unknown;
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A failed call as a program tells it. */
export interface ToldError {
  readonly message: string;
  readonly reason: string | undefined;
  readonly nearest: readonly string[] | undefined;
}

/** A gRPC client that is a program. */
export interface CommandLine {
  readonly program: string;
  /** Its arguments for a call of `server`. */
  arguments(server: WireServer, request: Request): string[];
  /** The code of gRPC behind an exit code. */
  code(exit: number): number;
  error(stderr: string): ToldError;
  listServices(server: WireServer): string[];
}

/** These programs have no option for it, or never send what they know to be wrong. */
export const notByCommandLine: readonly StepName[] = ["cancel_unary", "cancel_stream", "gzip", "unimplemented"];

const COMPLETE = "sluice.v1.PipelineService/Complete";
const STREAM_COMPLETE = "sluice.v1.PipelineService/StreamComplete";

/** Does the steps that a program can do, and leaves one call and one stream by ending the program. */
export async function performByCommandLine(
  cli: CommandLine,
  server: WireServer,
): Promise<ReadonlyMap<string, unknown>> {
  const call = (request: Request) => run(cli.program, cli.arguments(server, request));
  const ask = (asks: string, more: Partial<Request> = {}) =>
    call({ method: COMPLETE, body: { input: { model: asks } }, ...more });
  const code = (ran: Ran) => cli.code(Number(ran.code));

  const performers = {
    unary: async () => {
      const ran = await ask(steps.unary.asks);
      return { code: code(ran), text: values(ran.stdout)[0]?.completion?.text };
    },
    stream: async () => {
      const ran = await ask(steps.stream.asks, { method: STREAM_COMPLETE });
      const numbers = values(ran.stdout).map(({ textDelta }) => Number(textDelta?.sequenceNumber));
      return {
        code: code(ran),
        messages: numbers.length,
        in_order: numbers.every((number, index) => number === index + 1),
      };
    },
    deadline: async () => {
      // On a busy machine the program's own timer may fire before it reads the server's answer: then it says so itself.
      for (let tries = 1; ; tries += 1) {
        const ran = await ask(steps.deadline.asks, { timeoutMs: steps.deadline.timeout_ms });
        const { reason } = cli.error(ran.stderr);
        if (reason !== undefined || tries === 5) return { code: code(ran), reason };
      }
    },
    error: async () => {
      const ran = await ask(steps.error.asks);
      const { reason, nearest } = cli.error(ran.stderr);
      return { code: code(ran), reason, nearest, pushback: told(ran, "grpc-retry-pushback-ms") };
    },
    message: async () => {
      const ran = await ask(steps.message.asks);
      return { code: code(ran), message: cli.error(ran.stderr).message };
    },
    metadata: async () => {
      const { metadata, binary } = steps.metadata;
      const encoded = Object.entries(binary).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]);
      const ran = await ask(steps.metadata.asks, { metadata: { ...metadata, ...Object.fromEntries(encoded) } });
      return {
        code: code(ran),
        header: told(ran, "echo-header-a"),
        trailer: told(ran, "echo-trailer-a"),
        binary: [...Buffer.from(told(ran, "echo-trailer-bin") ?? "", "base64")],
      };
    },
    large: async () => ({ code: code(await ask(steps.large.asks)) }),
    reflection: async () => {
      const { stdout } = await run(cli.program, cli.listServices(server));
      return {
        services: stdout
          .split("\n")
          .filter((name) => name.startsWith("sluice."))
          .sort(),
      };
    },
  };
  const given = await Promise.all(
    Object.entries(performers).map(async ([name, perform]) => [name, await perform()] as const),
  );
  await leave(cli, server, { method: COMPLETE, body: { input: { model: steps.cancel_unary.asks } } });
  await leave(cli, server, { method: STREAM_COMPLETE, body: { input: { model: steps.cancel_stream.asks } } });
  return new Map([...given, ["watch", await watch(cli, server, () => ask(steps.watch.asks))]]);
}

/** Ends the program while the handler works. */
async function leave(cli: CommandLine, server: WireServer, request: Request): Promise<void> {
  const before = server.journal.length;
  // A group of its own, since the program may be started by another one, as npm's programs are.
  const child = await startChild(cli.program, cli.arguments(server, request), { detached: true });
  await until(() => server.journal.length > before);
  process.kill(-(child.process.pid ?? 0), "SIGINT");
  await child.ended;
}

async function watch(cli: CommandLine, server: WireServer, drain: () => Promise<Ran>) {
  const request = { method: "grpc.health.v1.Health/Watch", body: {} };
  const child = await startChild(cli.program, cli.arguments(server, request));
  const status = (line: string) => /"(?:NOT_)?SERVING"/.exec(line)?.[0];
  await child.line(status);
  assert.equal((await drain()).code, 0);
  const code = cli.code(Number(await child.ended));
  return { code, statuses: child.output().match(/(?:NOT_)?SERVING(?=")/g) };
}

interface PrintedAnswer {
  readonly completion?: { readonly text?: string };
  readonly textDelta?: { readonly sequenceNumber?: string };
}

/** The JSON values of an answer, which begin at the left margin, one after the other. */
function values(stdout: string): PrintedAnswer[] {
  const lines = stdout.split("\n");
  const starts = lines.flatMap((line, index) => (line === "{" ? [index] : []));
  return starts.map((start) => JSON.parse(lines.slice(start, lines.indexOf("}", start) + 1).join("\n")));
}

/** A header or trailer that was printed. */
function told({ stdout, stderr }: Ran, name: string): string | undefined {
  // Without those that were sent: `name: value` comes last from the server.
  const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.replace(/^buf: < \(#\d+\) /, ""));
  const found = lines.filter((line) => line.toLowerCase().startsWith(`${name}: `)).at(-1);
  return found?.slice(name.length + 2).trim();
}
