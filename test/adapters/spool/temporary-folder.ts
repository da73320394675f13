import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for each test of the suite that calls this, removed after it. */
export function temporaryFolder(): { readonly path: string } {
  let path = "";
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "sluice-test-"));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
  };
}

/** The segment files of all instances below a spool folder, oldest first. */
export async function segmentFiles(spoolDir: string): Promise<string[]> {
  const names = await readdir(spoolDir, { recursive: true });
  return names
    .filter((name) => name.endsWith(".log"))
    .sort()
    .map((name) => join(spoolDir, name));
}

/** Everything below a folder, sorted. */
export async function listing(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true })).sort();
}
