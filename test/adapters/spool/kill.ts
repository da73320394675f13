import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const recorder = fileURLToPath(new URL("./crashing-recorder.ts", import.meta.url));

/** The calls whose records were acknowledged to processes that were killed. */
export interface Acknowledged {
  readonly start: Set<string>;
  readonly end: Set<string>;
  readonly call: Set<string>;
}

/** Recorders at work in one process. */
export const CALLERS = 16;

/**
 * Runs the recorder, drained to `database` if that is given, until it has acknowledged `lines` records, kills it with
 * SIGKILL, and adds what it acknowledged.
 */
export async function recordAndKill(
  acknowledged: Acknowledged,
  options: { readonly dir: string; readonly database?: string; readonly lines: number },
): Promise<void> {
  const { dir, database, lines } = options;
  const child = spawn(process.execPath, [recorder, dir, ...(database ? [database] : [])], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    seen += text.split("\n").length - 1;
    if (seen >= lines) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.once("close", resolve));
  for (const line of output.slice(0, output.lastIndexOf("\n")).split("\n")) {
    const [what, id = ""] = line.split(" ");
    if (what === "start" || what === "end" || what === "call") acknowledged[what].add(id);
  }
}
