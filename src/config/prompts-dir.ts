import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageDir } from "./package-dir.ts";

/** The folder that `prompts_dir` means when it is not set: `./prompts`, else the prompts that ship with Sluice. */
export function defaultPromptsDir(workingDir: string): string {
  const own = join(workingDir, "prompts");
  return existsSync(own) ? own : join(packageDir(), "prompts");
}
