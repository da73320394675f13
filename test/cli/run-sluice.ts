import { resolve } from "node:path";
import { type Ran, run } from "../support/child.ts";

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
}

const main = resolve("src/main.ts");

/** Runs a command to its end, as a process of its own, without the variables of this one that it would use. */
export async function runSluice(args: readonly string[], { env = {}, cwd, stdin }: RunOptions = {}): Promise<Ran> {
  return await run(process.execPath, [main, ...args], {
    env: cleanEnvironment(env),
    ...(cwd === undefined ? {} : { cwd }),
    ...(stdin === undefined ? {} : { input: stdin }),
  });
}

export function cleanEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { DATABASE_URL, REDIS_URL, OPENAI_API_KEY, SLUICE_SERVER, SLUICE_DEBUG, ...own } = process.env;
  return { ...own, ...more };
}

/** What starts the command line: a program and its arguments. */
export function sluiceCommand(...args: readonly string[]): [program: string, args: string[]] {
  return [process.execPath, [main, ...args]];
}
