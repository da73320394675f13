import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createServer } from "node:net";

const running = new Set<ChildProcess>();

// A test run that dies must not leave servers behind.
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A started program. Its output is collected, at most the last 64 KiB, for the messages of failures. */
export interface Child {
  process: ChildProcess;
  /** What the program has printed to stdout and stderr, oldest first. */
  output(): string;
  /** Resolves with the exit code, or with the name of the signal that ended it. */
  ended: Promise<number | string>;
  /**
   * Waits for a line of stdout for which `pick` returns something else than undefined, and returns that.
   * Fails when the program ends first, or after `waitMs` (default 20,000).
   */
  line<T>(pick: (line: string) => T | undefined, waitMs?: number): Promise<T>;
  /** Sends `signal` (default SIGTERM), SIGKILL after `patienceMs` (default 10,000), and waits for the end. */
  stop(signal?: NodeJS.Signals, patienceMs?: number): Promise<number | string>;
}

const maxOutput = 65_536;

/** Starts a program with stdin closed. Throws when it cannot be started. */
export async function startChild(program: string, args: string[], options: SpawnOptions = {}): Promise<Child> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  running.add(child);
  let output = "";
  const keep = (text: string) => {
    output = (output + text).slice(-maxOutput);
  };
  child.stdout?.setEncoding("utf8").on("data", keep);
  child.stderr?.setEncoding("utf8").on("data", keep);
  const ended = new Promise<number | string>((resolve) => {
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve(code ?? signal ?? -1);
    });
  });
  return {
    process: child,
    output: () => output,
    ended,
    line: (pick, waitMs = 20_000) => waitForLine(child, ended, () => output, pick, waitMs),
    stop: async (signal = "SIGTERM", patienceMs = 10_000) => {
      child.kill(signal);
      const killer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      return await ended.finally(() => clearTimeout(killer));
    },
  };
}

async function waitForLine<T>(
  child: ChildProcess,
  ended: Promise<number | string>,
  output: () => string,
  pick: (line: string) => T | undefined,
  waitMs: number,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let rest = output();
  const look = (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    const found = lines.map(pick).find((value) => value !== undefined);
    if (found !== undefined) resolve(found);
  };
  const timer = setTimeout(
    () => reject(new Error(`no such line within ${waitMs} ms; output so far:\n${output()}`)),
    waitMs,
  );
  child.stdout?.on("data", look);
  look("");
  const gone = ended.then((code) => reject(new Error(`ended with ${code} before the line came:\n${output()}`)));
  try {
    return await Promise.race([promise, gone.then(() => promise)]);
  } finally {
    clearTimeout(timer);
    child.stdout?.off("data", look);
  }
}

/** The result of a program that ran to its end. */
export interface Ran {
  code: number | string;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end with `input` as its stdin (default: empty). Killed after `limitMs` (default 60,000). */
export async function run(
  program: string,
  args: string[],
  { input = "", limitMs = 60_000, ...options }: SpawnOptions & { input?: string | Uint8Array; limitMs?: number } = {},
): Promise<Ran> {
  const child = spawn(program, args, { ...options, stdio: "pipe", timeout: limitMs, killSignal: "SIGKILL" });
  running.add(child);
  const ran: Ran = { code: -1, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    ran.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    ran.stderr += text;
  });
  // A program that does not read its stdin closes it early; its exit code says whether that was wrong.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve({ ...ran, code: code ?? signal ?? -1 });
    });
  });
}

/** A loopback port that was free a moment ago, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return address.port;
}
