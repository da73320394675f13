import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../../src/adapters/folder.ts";

describe("a folder", () => {
  let root: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "sluice-folder-"));
  });
  after(() => rm(root, { recursive: true }));

  it("is made with those above it, for its owner only, and may be there already", async () => {
    const dir = join(root, "a", "b", "c");
    await makeFolder(dir);
    await makeFolder(dir);
    assert.equal((await stat(dir)).mode & 0o777, 0o700);
  });

  it("cannot be where a file is, or below one", async () => {
    await writeFile(join(root, "file"), "");
    await assert.rejects(makeFolder(join(root, "file")), { code: "EEXIST" });
    await assert.rejects(makeFolder(join(root, "file", "below")), { code: "ENOTDIR" });
  });

  it("that the file system will not make is refused at once", async () => {
    await assert.rejects(makeFolder("/proc/sluice/data"));
  });
});
