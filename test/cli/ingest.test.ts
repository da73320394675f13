import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SluiceError } from "../../src/core/failure.ts";
import { putDocuments } from "../../src/pipeline/put-documents.ts";
import { closeServers } from "../rpc/support/test-server.ts";
import { sluice, startCorpusServer, writeFiles } from "./corpus/fixture.ts";

const signal = new AbortController().signal;
const TENANT = "local";

describe("sluice ingest", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-ingest-"));
  });

  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true });
    await closeServers();
  });

  const idsOf = async (corpus: Awaited<ReturnType<typeof startCorpusServer>>["corpus"]) =>
    (await corpus.documents(TENANT, "handbook", { after: "", prefix: "", limit: 1000 }, signal)).map(({ id }) => id);
  const ingest = (url: string, ...more: readonly string[]) =>
    sluice(url, ["ingest", folder, "--collection", "handbook", ...more]);

  it("puts what can be read, passes the rest by, and counts both", async () => {
    const { url, corpus } = await startCorpusServer();
    writeFiles(folder, {
      "a.md": "# A\n\none two",
      "sub/b.txt": "three",
      "sub/[c]#1.TXT": "four",
      "100%41.txt": "five",
      ".hidden.md": "x",
      ".git/x.md": "x",
      "node_modules/x.md": "x",
      "image.png": "x",
      "nul.txt": "a\0b",
    });
    symlinkSync("/etc", join(folder, "out"));
    symlinkSync(join(folder, "a.md"), join(folder, "link.md"));
    const { code, stdout, stderr } = await ingest(
      url,
      "--metadata",
      "team=hr",
      "--metadata",
      "year=2026",
      "--metadata",
      'n="5"',
    );
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.match(stdout, /into handbook: 4 created, 0 updated, 0 unchanged, 0 removed, 0 failed, 7 skipped$/m);
    assert.match(stdout, /^5 chunks · \d+ tokens · \$0\.0\d+ · \d/m);
    assert.match(stdout, /^skipped: 3 hidden, 1 of unknown kind, 2 links, 1 binary$/m);
    assert.deepEqual(await idsOf(corpus), ["100%2541.txt", "a.md", "sub/%5Bc%5D%231.TXT", "sub/b.txt"]);
    const stored = await corpus.document(TENANT, "handbook", "a.md", signal);
    assert.deepEqual(stored.metadata, { team: "hr", year: 2026, n: "5" });
    const again = await ingest(url, "--metadata", "team=hr", "--metadata", "year=2026", "--metadata", 'n="5"');
    assert.match(again.stdout, /0 created, 0 updated, 4 unchanged, 0 removed/);
    assert.match(again.stdout, /^0 chunks · 0 tokens · \$0\.00 ·/m);
  });

  it("takes patterns of files to take and to leave", async () => {
    const { url, corpus } = await startCorpusServer();
    writeFiles(folder, { "a.md": "a", "b.txt": "b", "drafts/c.md": "c", "deep/drafts/d.md": "d", "deep/e.md": "e" });
    const { stdout } = await ingest(url, "--include", "*.md", "--exclude", "drafts/");
    assert.deepEqual(await idsOf(corpus), ["a.md", "deep/e.md"]);
    assert.match(stdout, /^skipped: 3 excluded$/m);
  });

  it("names bad documents with the server's rule, and puts the rest", async () => {
    const { url, corpus } = await startCorpusServer();
    writeFiles(folder, {
      "a.md": "good",
      "bad.html": "broken",
      "empty.txt": "blank",
      "big.txt": new Uint8Array(4_194_305).fill(97),
      "latin.txt": Uint8Array.of(97, 0xe9, 98),
      "z.md": "good too",
      [`${"x".repeat(120)}/${"y".repeat(120)}.md`]: "long name",
    });
    const { code, stdout, stderr } = await ingest(url);
    assert.equal(code, 1);
    assert.deepEqual(await idsOf(corpus), ["a.md", "z.md"]);
    assert.match(stdout, /2 created, .* 5 failed/);
    assert.match(stderr, /^bad\.html: it is broken \(DOCUMENT_BROKEN\)$/m);
    assert.match(stderr, /^empty\.txt: it has no text \(DOCUMENT_EMPTY\)$/m);
    assert.match(stderr, /^big\.txt: has 4,194,305 bytes; a document has at most 4,194,304$/m);
    assert.match(stderr, /^latin\.txt: is not UTF-8 text$/m);
    assert.match(stderr, /^x+\/y+\.md: its path is longer than the 200 bytes/m);
  });

  it("says in a dry run what would be done, cost and removed, and does nothing", async () => {
    const { url, corpus } = await startCorpusServer();
    writeFiles(folder, { "a.md": "one two three", "b.md": "b" });
    const fresh = await ingest(url, "--dry-run");
    assert.match(fresh.stdout, /^would ingest .*: 2 created/m);
    assert.match(fresh.stdout, /^2 chunks · 4 tokens, estimated · \$0\.000000004 ·/m);
    assert.deepEqual(await corpus.collections(TENANT, signal), []);
    await ingest(url);
    unlinkSync(join(folder, "b.md"));
    const next = await ingest(url, "--dry-run");
    assert.match(next.stdout, /1 unchanged, 1 removed/);
    assert.match(next.stdout, /^would remove b\.md$/m);
    assert.deepEqual(await idsOf(corpus), ["a.md", "b.md"]);
  });

  it("removes documents whose files are gone, and no other's", async () => {
    const { url, corpus } = await startCorpusServer();
    writeFiles(folder, { "a.md": "a", "b.md": "b", "drafts/c.md": "c" });
    await ingest(url);
    const document = { title: "", contentHash: "", text: "x", metadata: {}, chunks: [] };
    for (const id of ["no-extension", "../up.md", ".hidden.md", "other[1].md"]) {
      await corpus.putDocument(TENANT, "handbook", { ...document, id }, "words", signal);
    }
    unlinkSync(join(folder, "b.md"));
    assert.match((await ingest(url, "--keep-removed")).stdout, /0 removed/);
    const { code, stdout } = await ingest(url, "--exclude", "drafts");
    assert.equal(code, 0);
    assert.match(stdout, /1 removed/);
    assert.deepEqual(await idsOf(corpus), [
      "../up.md",
      ".hidden.md",
      "a.md",
      "drafts/c.md",
      "no-extension",
      "other[1].md",
    ]);
  });

  it("never empties a collection because a folder is empty, gone, or nearly so", async () => {
    const { url, corpus } = await startCorpusServer();
    const names = Array.from({ length: 24 }, (_, n) => `d${String(n).padStart(2, "0")}.md`);
    writeFiles(folder, Object.fromEntries(names.map((name) => [name, name])));
    await ingest(url);
    for (const name of names.slice(0, 13)) unlinkSync(join(folder, name));
    const refused = await ingest(url);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /^not removed: 13 of 24 documents .*--allow-mass-removal removes them$/m);
    assert.equal((await idsOf(corpus)).length, 24);
    const allowed = await ingest(url, "--allow-mass-removal");
    assert.deepEqual([allowed.code, (await idsOf(corpus)).length], [0, 11]);
    for (const name of names.slice(13)) unlinkSync(join(folder, name));
    const empty = await ingest(url, "--allow-mass-removal");
    assert.equal(empty.code, 2);
    assert.match(empty.stderr, /holds no document to ingest; --allow-empty/);
    assert.equal((await ingest(url, "--allow-empty", "--allow-mass-removal")).code, 0);
    rmSync(folder, { recursive: true });
    const gone = await ingest(url, "--allow-empty", "--allow-mass-removal");
    assert.deepEqual([gone.code, gone.stderr.includes("there is no such folder")], [2, true]);
    assert.equal((await idsOf(corpus)).length, 11);
  });

  it("waits as it is told where a failure may pass, and ends with the server's words where not", async () => {
    let failures = 1;
    const made = await startCorpusServer({
      putDocuments(call, request): ReturnType<typeof putDocuments> {
        if (failures > 0) {
          failures -= 1;
          throw new SluiceError({ reason: "STORE_UNAVAILABLE", resource: "postgres", limit: 0, retryAfterMs: 1 });
        }
        return putDocuments(made.ports, call, request);
      },
    });
    writeFiles(folder, { "a.md": "a" });
    assert.equal((await ingest(made.url)).code, 0);
    const mismatch = await ingest(made.url, "--embedding-model", "wide");
    assert.equal(mismatch.code, 2);
    assert.match(mismatch.stderr, /COLLECTION_MISMATCH/);
  });

  it("halves what is larger than the server takes, and names a document that alone is", async () => {
    const { url, corpus } = await startCorpusServer({}, { limits: { messageBytes: 2000 } });
    const small = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${n}.md`, `text ${n} ${"x".repeat(400)}`]));
    writeFiles(folder, { ...small, "large.md": "x".repeat(100_000) });
    const { code, stdout, stderr } = await ingest(url);
    assert.equal(stderr, "large.md: cannot be sent: the server takes no message so large (its limits.message_bytes)\n");
    assert.equal(code, 1);
    assert.match(stdout, / 0 updated, .* 0 removed, 1 failed/);
    assert.equal((await idsOf(corpus)).length, 9);
  });

  it("shows a line that changes on a terminal, and JSON for programs", async () => {
    const { url } = await startCorpusServer();
    writeFiles(folder, Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}.md`, `text ${n}`])));
    const args = ["ingest", folder, "--collection", "handbook", "--concurrency", "2", "--json"];
    const { code, stdout } = await sluice(url, args, { isTTY: true });
    assert.equal(code, 0);
    const { created, removed, failed, costNanoUsd, stopped } = JSON.parse(stdout);
    assert.deepEqual([created, removed, failed, costNanoUsd, stopped], [100, 0, [], "200", false]);
  });

  it("refuses options that are none", async () => {
    writeFiles(folder, { "a.md": "a" });
    for (const [args, message] of [
      [["--metadata", "novalue"], /--metadata: must be key=value/],
      [["--metadata", "a=1", "--metadata", "a=2"], /--metadata a: is given twice/],
      [["--concurrency", "0"], /--concurrency: must be a whole number/],
    ] as const) {
      const { code, stderr } = await ingest("http://127.0.0.1:1", ...args);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});
