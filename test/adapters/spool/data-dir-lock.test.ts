import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataDirLockedError, lockDataDir } from "../../../src/adapters/data-dir-lock.ts";
import { listing, temporaryFolder } from "./temporary-folder.ts";

const module = new URL("../../../src/adapters/data-dir-lock.ts", import.meta.url).href;

/** Starts a process that takes the lock and says "held" or the error's name, then waits, without remembering the lock. */
async function startHolder(dir: string) {
  const program = `
    import { lockDataDir } from ${JSON.stringify(module)};
    await lockDataDir(process.argv[1]).then(() => { gc(); console.log("held") }, (error) => console.log(error.name));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", program, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await once(child.stdout, "data");
  const gone = once(child, "exit");
  return {
    pid: child.pid,
    said: String(said).trim(),
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

describe("data folder lock", () => {
  const folder = temporaryFolder();

  it("creates the folder and names its holder in sluice.pid", async () => {
    const dir = join(folder.path, "deep", "data");
    const lock = await lockDataDir(dir);
    assert.equal(await readFile(join(dir, "sluice.pid"), "utf8"), `${process.pid}\n`);
    assert.deepEqual(await listing(dir), ["sluice.lock", "sluice.pid"]);
    await lock.release();
    await assert.rejects(readFile(join(dir, "sluice.pid")), { code: "ENOENT" });
  });

  it("refuses a second holder with the process id of the first", async () => {
    const holder = await startHolder(folder.path);
    try {
      await assert.rejects(lockDataDir(folder.path), (error) => {
        assert.ok(error instanceof DataDirLockedError);
        assert.equal(error.pid, holder.pid);
        assert.equal(error.dir, folder.path);
        assert.match(error.message, new RegExp(`in use by the process ${holder.pid}`));
        return true;
      });
    } finally {
      await holder.kill();
    }
  });

  it("refuses a second holder in the same process", async () => {
    const lock = await lockDataDir(folder.path);
    await assert.rejects(lockDataDir(folder.path), DataDirLockedError);
    const other = await startHolder(folder.path);
    await other.kill();
    assert.equal(other.said, "DataDirLockedError", "the refused try did not give the lock free");
    await lock.release();
    await (await lockDataDir(folder.path)).release();
  });

  it("is free again when its holder was killed", async () => {
    const holder = await startHolder(folder.path);
    await holder.kill();
    await (await lockDataDir(folder.path)).release();
  });

  it("does not believe the process id of a holder that is gone", async () => {
    await writeFile(join(folder.path, "sluice.pid"), `${process.pid}\n`);
    await (await lockDataDir(folder.path)).release();
  });

  it("goes to exactly one of many that start at once", async () => {
    const holders = await Promise.all(Array.from({ length: 5 }, () => startHolder(folder.path)));
    await Promise.all(holders.map((holder) => holder.kill()));
    const said = holders.map((holder) => holder.said).sort();
    assert.deepEqual(said, [...Array(4).fill("DataDirLockedError"), "held"]);
  });

  it("is refused with the path where it cannot be made", async () => {
    await mkdir(join(folder.path, "sluice.lock"));
    await assert.rejects(lockDataDir(folder.path), /cannot lock .*sluice\.lock/);
  });

  it("can be released twice", async () => {
    const lock = await lockDataDir(folder.path);
    await lock.release();
    const next = await lockDataDir(folder.path);
    await lock.release();
    await assert.rejects(lockDataDir(folder.path), DataDirLockedError);
    await next.release();
  });
});
