import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Creates an empty folder before the tests of the enclosing suite and removes it after them. The function it returns
 * gives the path in it that `names` lead to, in tests and hooks that come later.
 */
export function useTemporaryFolder(): (...names: string[]) => string {
  let folder: string | undefined;
  before("creates a folder", async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
  });
  after("removes the folder", async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  return (...names) => {
    if (folder === undefined) throw new Error("the folder does not exist before the suite's hooks have run");
    return join(folder, ...names);
  };
}
