import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openPglite } from "../../src/adapters/pglite/open.ts";
import { silentLog } from "../../src/core/log.ts";
import { type TemporaryFolder, temporaryFolder } from "../config/temporary-folder.ts";
import { startChild } from "../support/child.ts";
import { cleanEnvironment, runSluice, sluiceCommand } from "./run-sluice.ts";

const sqlFiles = (dir: string) =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".sql"))
    .sort();

describe("sluice migrate", () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  it("makes the whole schema once, and refuses one that is newer", async () => {
    const all = [...sqlFiles("migrations"), ...sqlFiles("migrations/retrieval")];
    const first = await runSluice(["migrate"], { cwd: folder.path });
    assert.equal(first.stdout, all.map((name) => `applied ${name}\n`).join(""), first.stderr);
    const second = await runSluice(["migrate"], { cwd: folder.path });
    assert.equal(second.stdout, "The schema is this program's already.\n");
    assert.deepEqual([first.code, second.code], [0, 0]);

    const database = await openPglite({ dir: join(folder.path, "data", "pglite"), log: silentLog });
    await database.pool.query("INSERT INTO sluice_migrations (version, name, checksum) VALUES (9999, 'later', '')");
    await database.close();
    const newer = await runSluice(["migrate"], { cwd: folder.path });
    assert.equal(newer.code, 1);
    assert.match(
      newer.stderr,
      /^the database has the schema version \d+ \(later\), this program knows \d+: use a newer program\n$/,
    );
  });

  it("leaves a data folder alone that a server works in", async () => {
    const server = await startChild(...sluiceCommand("serve", "--listen", "127.0.0.1:0"), {
      cwd: folder.path,
      env: cleanEnvironment(),
    });
    try {
      await server.line((line) => (line.includes('"listening"') ? line : undefined));
      const { code, stderr } = await runSluice(["migrate"], { cwd: folder.path });
      assert.equal(code, 1);
      assert.match(stderr, /^the data folder .* is in use by the process \d+/);
    } finally {
      await server.stop("SIGKILL");
    }
  });

  it("says that a Postgres is away, and to try again later", async () => {
    const env = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
    const { code, stderr } = await runSluice(["migrate"], { cwd: folder.path, env });
    assert.equal(code, 3);
    assert.match(stderr, /^the database cannot be reached: .*ECONNREFUSED/);
  });
});
