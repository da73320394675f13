import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { createDocumentReader, type DocumentReaderOptions } from "../../../src/adapters/documents/index.ts";
import type { DocumentContent, ReadDocument } from "../../../src/core/documents.ts";
import { silentLog } from "../../../src/core/log.ts";
import { smallPdf } from "./small-pdf.ts";

const never = new AbortController().signal;
const hello: DocumentContent = { kind: "text", text: "Hello." };
/** More than any time limit of these tests: the parser takes quadratic time for quotes in one another. */
const endless: DocumentContent = { kind: "markdown", text: `${">".repeat(1_000_000)} a` };
/** Lists in one another take even more than that. */
const deepLists: DocumentContent = {
  kind: "markdown",
  text: Array.from({ length: 1000 }, (_, depth) => `${"  ".repeat(depth)}- a`).join("\n"),
};
const tooLarge = { name: "UnreadableDocumentError", reason: "too_large" };

describe("reading documents in threads", function () {
  this.timeout(60_000);
  const open: { close(): Promise<void> }[] = [];

  function openReader(options: Partial<DocumentReaderOptions> = {}) {
    const reader = createDocumentReader({ log: silentLog, ...options });
    open.push(reader);
    return reader;
  }

  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close();
  });

  it("reads every kind, several at once, and leaves the caller's bytes alone", async () => {
    const reader = openReader();
    const bytes = smallPdf({ title: "T", pages: [[{ x: 50, y: 700, text: "Hello" }]] });
    const before = bytes.slice();
    const contents: DocumentContent[] = [hello, { kind: "markdown", text: "# A\n\nb" }, { kind: "pdf", bytes }];
    const documents = await Promise.all([...contents, ...contents].map((content) => reader.read(content, never)));
    deepEqual(documents.map(({ text }) => text).slice(3), ["Hello.", "# A\n\nb", "Hello"]);
    deepEqual(documents[1]?.chunks, [{ text: "# A\n\nb", headingPath: ["A"], startOffsetBytes: 0, endOffsetBytes: 6 }]);
    deepEqual(bytes, before);
    await rejects(reader.read({ kind: "html", text: " " }, never), {
      name: "UnreadableDocumentError",
      reason: "empty",
    });
  });

  it("cuts as it was told and refuses what makes no sense", async () => {
    const reader = openReader({ chunking: { maxTokens: 10, overlapTokens: 0 } });
    equal((await reader.read({ kind: "text", text: "word ".repeat(100) }, never)).chunks.length, 13);
    throws(() => openReader({ chunking: { overlapTokens: 200 } }), RangeError);
    throws(() => openReader({ maxWorkers: 0 }), RangeError);
  });

  it("ends a document that takes too long, and goes on with those behind it", async () => {
    const reader = openReader({ maxWorkers: 1, timeoutMs: 500 });
    const first = rejects(reader.read(endless, never), tooLarge);
    const second = reader.read(hello, never);
    await first;
    equal((await second).text, "Hello.");
  });

  it("ends a document that takes too much memory, within or outside of the heap, and goes on", async () => {
    const reader = openReader({ maxWorkers: 1, memoryMib: 48 });
    await rejects(reader.read({ kind: "markdown", text: "- a\n".repeat(1_000_000) }, never), tooLarge);
    // 400 MB of blanks in 400 kB.
    const stream = deflateSync(Buffer.alloc(400_000_000, " "));
    const bomb = smallPdf({ pages: [[]], stream, filter: "/FlateDecode" });
    await rejects(reader.read({ kind: "pdf", bytes: bomb }, never), tooLarge);
    equal((await reader.read(hello, never)).text, "Hello.");
  });

  it("removes an aborted document from the queue and ends the waiting for a running one", async () => {
    const reader = openReader({ maxWorkers: 1, timeoutMs: 3000 });
    const abort = new AbortController();
    const running = reader.read(endless, abort.signal);
    const waiting = reader.read(hello, abort.signal);
    const other = reader.read(hello, never);
    setTimeout(() => abort.abort(new Error("enough")), 50);
    await Promise.all([rejects(running, { message: "enough" }), rejects(waiting, { message: "enough" })]);
    await rejects(reader.read(hello, abort.signal), { message: "enough" });
    equal((await other).text, "Hello.");
  });

  it("refuses everything once it is closed", async () => {
    const reader = openReader({ maxWorkers: 1 });
    const pending = [endless, hello].map((content) => rejects(reader.read(content, never), /is closed/));
    await reader.close();
    await Promise.all(pending);
    await rejects(reader.read(hello, never), /is closed/);
    await reader.close();
  });

  describe("hostile documents leave the main thread alone", () => {
    const million = 1_000_000;
    const documents: Record<string, DocumentContent> = {
      "nested tags": { kind: "html", text: `${"<div>".repeat(100_000)}x` },
      "unclosed and wrongly closed tags": { kind: "html", text: `${"<div>".repeat(50_000)}${"x</b>".repeat(50_000)}` },
      "nested lists": { kind: "html", text: `${"<ul><li>".repeat(50_000)}x` },
      entities: { kind: "html", text: `${"&amp;&lt;&#35;".repeat(200_000)}x` },
      attributes: { kind: "html", text: `<a ${"x=1 ".repeat(300_000)}>x` },
      "table rows": { kind: "html", text: `<table>${"<tr><td>a<td>b".repeat(200_000)}` },
      brackets: { kind: "markdown", text: `${"[".repeat(million)} a` },
      stars: { kind: "markdown", text: `${"*".repeat(million)} a` },
      quotes: endless,
      rows: { kind: "markdown", text: "| a | b |\n".repeat(200_000) },
      "deep lists": deepLists,
      "brackets in a heading": { kind: "markdown", text: `# ${"[".repeat(million)} a` },
      "no blanks": { kind: "text", text: "a".repeat(million) },
      "only blanks between two words": { kind: "text", text: `a${" ".repeat(million)}b` },
      "empty lines": { kind: "text", text: `a${"\n ".repeat(million)}b` },
    };
    for (const [name, content] of Object.entries(documents)) {
      it(name, async () => {
        const reader = openReader({ maxWorkers: 1, timeoutMs: 5000 });
        await reader.read(hello, never);
        let ticks = 0;
        const started = performance.now();
        const ticker = setInterval(() => ticks++, 5);
        const result = await reader.read(content, never).then(
          (document: ReadDocument) => document.chunks.length,
          (error) => deepEqual({ name: error.name, reason: error.reason }, tooLarge),
        );
        clearInterval(ticker);
        ok(result === undefined || result > 0);
        // A thread that was held up would have ticked hardly ever.
        ok(ticks >= (performance.now() - started) / 100 - 5, `${ticks} ticks`);
      });
    }
  });
});
