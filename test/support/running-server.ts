import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startChild } from "./child.ts";

/** A server started as a user starts it, in a process of its own. */
export interface RunningServer {
  /** Where it listens, such as http://127.0.0.1:40123. */
  url: string;
  /** The same as host:port, as gRPC clients want it. */
  address: string;
  pid: number | undefined;
  /** The last 64 KiB of its output. */
  output(): string;
  /** Ends it by `signal` (default SIGTERM), removes its data folder, and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/** Settings of a developer's shell that must not leak into tests. */
const settingsOfTheShell = ["OPENAI_API_KEY", "DATABASE_URL", "REDIS_URL"];

/**
 * Starts `sluice serve` on a free loopback port with a data folder of its own, and waits until it listens. `config` is
 * what sluice.yaml would hold besides `data_dir`; default: nothing.
 */
export async function startServer({
  config = {},
  env = {},
}: {
  config?: Record<string, unknown>;
  env?: NodeJS.ProcessEnv;
} = {}): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-server-"));
  const file = join(folder, "sluice.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ data_dir: join(folder, "data"), ...config }));
  const inherited = Object.entries(process.env).filter(([name]) => !settingsOfTheShell.includes(name));
  const args = [resolve("src/main.ts"), "serve", "--listen", "127.0.0.1:0", "--config", file];
  const child = await startChild(process.execPath, args, { env: { ...Object.fromEntries(inherited), ...env } });
  const stop = async (signal?: NodeJS.Signals) => {
    const code = await child.stop(signal);
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  try {
    const url = await child.line(listeningUrl);
    return { url, address: new URL(url).host, pid: child.process.pid, output: child.output, stop };
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
}

/** The address in the log line that says it listens, else undefined. */
export function listeningUrl(line: string): string | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    const isListening = typeof entry === "object" && entry !== null && "event" in entry && entry.event === "listening";
    return isListening && "url" in entry ? String(entry.url) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts a server before the tests of the enclosing suite and ends it after them. The function it returns gives the
 * server, in tests and hooks that come later.
 */
export function useServer(options: Parameters<typeof startServer>[0] = {}): () => RunningServer {
  let server: RunningServer | undefined;
  before("starts a server", async () => {
    server = await startServer(options);
  });
  after("stops the server", async () => {
    const code = await server?.stop();
    if (code !== undefined && code !== 0) throw new Error(`the server ended with ${code}:\n${server?.output()}`);
  });
  return () => {
    if (!server) throw new Error("the server is not started before the suite's hooks have run");
    return server;
  };
}
