import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EmbeddedDatabaseError, openPglite } from "../../../src/adapters/pglite/open.ts";
import { silentLog } from "../../../src/core/log.ts";
import { temporaryFolder } from "../spool/temporary-folder.ts";

const inserter = fileURLToPath(new URL("./crashing-inserter.ts", import.meta.url));

/** Runs the inserter until it has acknowledged `rows`, kills it, and resolves to the last row it acknowledged. */
async function insertAndKill(dir: string, rows: number): Promise<number> {
  const child = spawn(process.execPath, [inserter, dir], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.split("\n").length > rows) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.once("close", resolve));
  return Number(output.trimEnd().split("\n").at(-1));
}

/** `template` is the folder of an empty database, which is closed: a copy is faster than a new one. */
export function testFolder(template: () => string): void {
  const folder = temporaryFolder();
  const open = (name = "db") => openPglite({ dir: join(folder.path, name), log: silentLog });

  const copyTemplate = () => cp(template(), join(folder.path, "db"), { recursive: true });

  it("keeps every acknowledged row when its process is killed, again and again", async () => {
    const dir = join(folder.path, "db");
    await copyTemplate();
    let last = 0;
    for (let round = 0; round < 3; round += 1) last = await insertAndKill(dir, 20 + round * 30);
    const database = await open();
    const { rows } = await database.pool.query("SELECT count(*)::int AS count, max(id) AS max FROM numbers");
    await database.close();
    assert.ok(rows[0].max >= last, `${rows[0].max} rows, ${last} acknowledged`);
    assert.equal(rows[0].count, rows[0].max);
  });

  it("is whole or not there when its process is killed while it is made", async () => {
    const dir = join(folder.path, "db");
    await mkdir(`${dir}.new/base`, { recursive: true });
    await writeFile(`${dir}.new/PG_VERSION`, "18\n");
    const database = await open();
    assert.equal((await database.pool.query("SELECT 1 AS one")).rows[0].one, 1);
    await database.close();
  });

  it("that is damaged is refused with an error that names it", async () => {
    await copyTemplate();
    const damage: Record<string, (dir: string) => Promise<void>> = {
      "garbage in pg_control": (dir) => writeFile(join(dir, "global/pg_control"), "x".repeat(8192)),
      "no pg_control": (dir) => rm(join(dir, "global/pg_control")),
      "no tables": (dir) => rm(join(dir, "base"), { recursive: true }),
      "another version": (dir) => writeFile(join(dir, "PG_VERSION"), "14\n"),
      "no version": (dir) => rm(join(dir, "PG_VERSION")),
      "a file in its place": async (dir) => {
        await rename(dir, `${dir}-away`);
        await writeFile(dir, "");
      },
    };
    for (const [what, apply] of Object.entries(damage)) {
      const name = what.replaceAll(" ", "-");
      await cp(join(folder.path, "db"), join(folder.path, name), { recursive: true });
      await apply(join(folder.path, name));
      await assert.rejects(open(name), (error) => {
        assert.ok(error instanceof EmbeddedDatabaseError, what);
        assert.ok(error.message.includes(name) && error.cause instanceof Error);
        return true;
      });
    }
  });

  it("is opened again by itself after a failure that leaves the database unusable", async () => {
    const dir = join(folder.path, "db");
    await copyTemplate();
    const database = await open();
    await database.pool.query("CREATE TABLE kept (a int)");
    await cp(dir, `${dir}-copy`, { recursive: true });
    await rm(join(dir, "pg_wal"), { recursive: true });
    const growth = "CREATE TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 40000)";
    await assert.rejects(database.pool.query(growth));
    await rm(dir, { recursive: true });
    await rename(`${dir}-copy`, dir);
    let isBack = false;
    for (let tries = 0; tries < 20 && !isBack; tries += 1) {
      isBack = await database.pool.query("SELECT FROM kept").then(
        () => true,
        () => false,
      );
    }
    await database.close();
    assert.ok(isBack);
  });

  it("can be given up while it is opened", async () => {
    const giveUp = new AbortController();
    const opening = openPglite({ dir: join(folder.path, "db"), log: silentLog, signal: giveUp.signal });
    giveUp.abort(new Error("enough"));
    await assert.rejects(opening, /enough/);
  });
}
