import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "../core/error-code.ts";

/**
 * Makes a folder and those above it that are missing, readable by its owner only. Node's own recursive `mkdir` never
 * ends where a file system answers "no such file" to a folder that could be made, as /proc does.
 * @throws the file system's error where it cannot be made.
 */
export async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST" && (await isFolder(dir))) return;
    const parent = dirname(dir);
    if (code !== "ENOENT" || parent === dir || (await isFolder(parent))) throw error;
    await makeFolder(parent);
    await mkdir(dir, { mode: 0o700 });
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
