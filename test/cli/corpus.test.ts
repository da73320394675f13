import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeServers } from "../rpc/support/test-server.ts";
import { sluice, startCorpusServer, writeFiles } from "./corpus/fixture.ts";

describe("sluice retrieve, embed, collections and documents", () => {
  let folder: string;
  let url: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-corpus-"));
    ({ url } = await startCorpusServer());
    writeFiles(folder, {
      "leave.md": "# Leave\n\nThe notice period is two weeks\n\nGrüße",
      "pay.md": "# Pay\n\nWages come monthly",
    });
    await sluice(url, ["ingest", folder, "--collection", "handbook", "--metadata", "year=2026"]);
  });

  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true });
    await closeServers();
  });

  it("shows what was found, best first", async () => {
    const { code, stdout } = await sluice(url, ["retrieve", "handbook", "notice period", "--top-k", "1"]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^0\.\d{3} {2}leave\.md#1 {2}bytes 9 to 39\n {7}Leave > Part\n {7}The notice period is two weeks\n$/,
    );
    const hybrid = await sluice(url, ["retrieve", "handbook", "monthly", "--hybrid", "--json"]);
    assert.equal(JSON.parse(hybrid.stdout).chunks[0].id, "pay.md#1");
  });

  it("filters by metadata", async () => {
    for (const [where, found] of [
      ["year=2026", true],
      ["year>=2026", true],
      ["year<2026", false],
      ["year in 2025,2026", true],
      ["year exists", true],
      ["year missing", false],
      ['year="2026"', false],
      ["team=hr", false],
    ] as const) {
      const { stdout } = await sluice(url, ["retrieve", "handbook", "notice", "--where", where]);
      assert.equal(stdout !== "nothing was found\n", found, where);
    }
    for (const where of ["year", "year ~ 3", "a' OR 1=1", "year exists now", "year>="]) {
      const { code, stderr } = await sluice(url, ["retrieve", "handbook", "notice", "--where", where]);
      assert.deepEqual([code, stderr.startsWith("--where")], [2, true], where);
    }
  });

  it("refuses numbers that are none, and says what is unknown", async () => {
    for (const args of [
      ["--top-k", "0"],
      ["--min-similarity", "2"],
      ["--min-similarity", "x"],
    ]) {
      assert.equal((await sluice(url, ["retrieve", "handbook", "notice", ...args])).code, 2);
    }
    const { code, stderr } = await sluice(url, ["retrieve", "handbok", "notice"]);
    assert.equal(code, 2);
    assert.match(stderr, /UNKNOWN_COLLECTION[\s\S]*nearest: handbook/);
  });

  it("prints vectors, one a line", async () => {
    const { stdout } = await sluice(url, ["embed", "one", "-"], { stdin: "two" });
    const vectors = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      vectors.map(({ length }) => length),
      [64, 64],
    );
    const json = await sluice(url, ["embed", "--model", "wide", "--json", "one"]);
    assert.equal(JSON.parse(json.stdout).dimension, 128);
  });

  it("lists collections, embeds one anew, and deletes it", async () => {
    const listed = await sluice(url, ["collections"]);
    assert.match(listed.stdout, /^handbook +words +64 +2 +5 +english +/m);
    const reembedded = await sluice(url, ["collections", "reembed", "handbook", "--model", "wide"]);
    assert.match(reembedded.stdout, /^handbook answers by wide now: 5 of 5 chunks · \d+ tokens · \$/);
    assert.equal(
      JSON.parse((await sluice(url, ["collections", "--json"])).stdout).collections[0].embeddingModel,
      "wide",
    );
    assert.equal((await sluice(url, ["collections", "delete", "handbook"])).code, 2);
    const deleted = await sluice(url, ["collections", "delete", "handbook", "--yes"]);
    assert.equal(deleted.stdout, "deleted 2 documents with 5 chunks\n");
    assert.match((await sluice(url, ["collections"])).stdout, /there are no collections/);
  });

  it("lists documents, shows their bytes, and deletes them", async () => {
    const listed = await sluice(url, ["documents", "handbook", "--prefix", "le"]);
    assert.match(listed.stdout, /^leave\.md +48 +3 .* Leave$/m);
    assert.doesNotMatch(listed.stdout, /pay/);
    const show = (...args: string[]) => sluice(url, ["documents", "show", "handbook", "leave.md", ...args]);
    assert.equal((await show("--from", "9", "--to", "39")).stdout, "The notice period is two weeks\n");
    assert.match((await show()).stdout, /^# Leave\n[\s\S]*Grüße\n$/);
    for (const args of [
      ["--from", "44"],
      ["--to", "999"],
      ["--from", "9", "--to", "3"],
      ["--from", "x"],
    ]) {
      assert.equal((await show(...args)).code, 2, args.join(" "));
    }
    const deleted = await sluice(url, ["documents", "delete", "handbook", "leave.md", "nope"]);
    assert.equal(deleted.stdout, "deleted 1 document; 1 was not there\n");
    assert.equal((await show()).code, 2);
  });
});
