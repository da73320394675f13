import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const KEY_BYTES = 32;

/**
 * The key of the input hashes in logs and ledger rows: made once for a data folder, readable by its owner only. The
 * same input has the same hash over restarts, and nobody without the key can guess a short input from its hash.
 * @throws Error for a file that is no key.
 */
export async function inputHashKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, "input-hash.key");
  const existing = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (existing === undefined) return create(path);
  if (existing.length !== KEY_BYTES)
    throw new Error(`${path} is no key of ${KEY_BYTES} bytes; remove it to get a new one`);
  return existing;
}

/** Written beside its place and linked into it, so that a crash leaves a whole key or none. */
async function create(path: string): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, key, { mode: 0o600 });
  try {
    await link(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return key;
}
