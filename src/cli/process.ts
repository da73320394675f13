import { runCli } from "./program.ts";
import { exitCode } from "./terminal.ts";

/** Runs the command line of this process, and leaves its exit code. */
export async function runInProcess(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Whoever read our output has left, as `head` does: there is nobody to write for.
      if (error.code === "EPIPE") process.exit(exitCode.ok);
      throw error;
    });
  }
  process.exitCode = await runCli(process.argv.slice(2), { stdin, stdout, stderr, env });
  // Standard input that was opened but not read to its end would keep the process waiting for it.
  stdin.unref?.();
}
