import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import type { Outcome } from "./check.ts";

/** The top folder of the project. */
export const root = join(import.meta.dirname, "../..");

/** The end of a program, and all it printed to stdout and stderr. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program of the project's packages, or of the machine, in `cwd` (default: the top folder). */
export async function runProgram(program: string, args: string[], cwd = root): Promise<Ended> {
  const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const child = spawn(program, args, { cwd, env: { ...process.env, PATH: path }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** The outcome of a program that prints its problems and ends with another code than 0 where it has any. */
export async function programOutcome(program: string, args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code === 0) return { problems: [] };
  const text = `${stdout}${stderr}`.trim();
  return { problems: [text === "" ? `${program} ended with ${code}` : text] };
}
