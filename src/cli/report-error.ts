import { ConfigError } from "../config.ts";
import { ConnectionError, RemoteError } from "../rpc/client.ts";
import { failureText } from "./failure-text.ts";
import { exitCode, printable, type Terminal, UserError } from "./terminal.ts";

/** Prints what went wrong, for a person, and returns the exit code. Stacks only where SLUICE_DEBUG is set. */
export function reportError(error: unknown, { stderr, env }: Pick<Terminal, "stderr" | "env">): number {
  const { text, exit } = describe(error);
  stderr.write(`${text}\n`);
  if (env.SLUICE_DEBUG) stderr.write(`${stackOf(error)}\n`);
  return exit;
}

function describe(error: unknown): { readonly text: string; readonly exit: number } {
  if (error instanceof UserError) return { text: printable(error.message), exit: error.exitCode };
  if (error instanceof ConfigError) return { text: printable(error.message), exit: exitCode.usage };
  if (error instanceof RemoteError || error instanceof ConnectionError) return failureText(error);
  return { text: printable(messageOf(error)), exit: exitCode.failure };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "EADDRINUSE" && "address" in error && "port" in error) {
    return `${error.address}:${error.port} is in use by another program; choose another address with --listen`;
  }
  return error.message;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
