import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { packDocument, unpackDocument } from "../../../src/adapters/documents/packed-document.ts";
import { readDocument } from "../../../src/adapters/documents/read-document.ts";
import type { DocumentContent, ReadDocument, UnreadableReason } from "../../../src/core/documents.ts";
import { type PdfLine, smallPdf } from "./small-pdf.ts";

const chunking = { maxTokens: 320, overlapTokens: 48 };

async function read(content: DocumentContent): Promise<ReadDocument> {
  const document = unpackDocument(packDocument(await readDocument(content, chunking)));
  const bytes = Buffer.from(document.text);
  ok(document.text.isWellFormed() && !/(?![\n\t])\p{Cc}/u.test(document.text));
  for (const chunk of document.chunks)
    equal(bytes.subarray(chunk.startOffsetBytes, chunk.endOffsetBytes).toString(), chunk.text);
  return document;
}

async function textOfHtml(text: string): Promise<string> {
  return (await read({ kind: "html", text })).text;
}

async function unreadable(content: DocumentContent, reason: UnreadableReason): Promise<void> {
  await rejects(readDocument(content, chunking), { name: "UnreadableDocumentError", reason });
}

describe("reading text", () => {
  it("cleans it and counts offsets in bytes", async () => {
    const document = await read({ kind: "text", text: "\ufeffÄ\r\nb\u0000\u0007c\rd\ud800\u2028e\n\n\n  👍 end\t\n" });
    equal(document.text, "Ä\nb  c\nd\ufffd\ne\n\n\n  👍 end\t\n");
    deepEqual(
      document.chunks.map(({ startOffsetBytes, endOffsetBytes }) => [startOffsetBytes, endOffsetBytes]),
      [[0, Buffer.byteLength(document.text) - 2]],
    );
  });

  it("says that a text without a letter or digit is empty", async () => {
    for (const kind of ["text", "markdown", "html"] as const) {
      for (const text of ["", " \n\u0000", "\ufeff", "!?…—", "---\n\n***"]) await unreadable({ kind, text }, "empty");
      await read({ kind, text: "٣" });
    }
    await unreadable({ kind: "markdown", text: "---\ntitle: Only a title\n---\n" }, "empty");
    await unreadable({ kind: "html", text: "<nav>menu</nav><p hidden>secret</p>" }, "empty");
  });

  it("bounds the text and the chunks", async () => {
    await unreadable({ kind: "text", text: "ä".repeat(4 * 1024 * 1024 + 1) }, "too_large");
    await unreadable({ kind: "html", text: `<p>${"ä".repeat(4 * 1024 * 1024 + 1)}` }, "too_large");
    await unreadable({ kind: "markdown", text: "# a\n\nb\n\n".repeat(20_001) }, "too_large");
  }).timeout(60_000);
});

describe("reading Markdown", () => {
  it("has both kinds of headings as sections, with what a reader sees of them", async () => {
    const text = "Before.\n\nA *title* & `code`\n===\n\nx\n\n## [B](b) \\# ##\n\ny\n\n> # quoted\n\n```\n# code\n```\n";
    const { title, chunks } = await read({ kind: "markdown", text });
    equal(title, "A title & code");
    deepEqual(
      chunks.map(({ headingPath }) => headingPath),
      [[], ["A title & code"], ["A title & code", "B #"]],
    );
  });

  it("bounds the heading path and the title", async () => {
    const long = "ä".repeat(300);
    const deep = [1, 2, 3, 4, 5, 6].map((depth) => `${"#".repeat(depth)} ${long}\n`).join("");
    const { title, chunks } = await read({ kind: "markdown", text: `${deep}\ntext` });
    equal(Buffer.byteLength(title), 400);
    deepEqual(
      chunks.at(-1)?.headingPath.map((heading) => heading.length),
      Array(6).fill(200),
    );
  });

  it("takes the title of front matter where there is no first heading, and shows no chunk of it", async () => {
    const text = "---\ntitle: From above\n---\nText.";
    const { title, chunks } = await read({ kind: "markdown", text });
    deepEqual([title, chunks.map((chunk) => chunk.text)], ["From above", ["Text."]]);
    equal((await read({ kind: "markdown", text: "---\ntitle: A\n---\n# B\n\nc" })).title, "B");
    equal(
      (await read({ kind: "markdown", text: "---\nno mapping here\n---\nb" })).chunks[0]?.text.startsWith("no"),
      true,
    );
  });

  it("reads a long text in pieces as it would in one", async () => {
    const part = "# Heading\n\nSome text.\n\n```\n\n# no heading\n```\n\n- item\n\n  more\n\n";
    const { chunks } = await read({ kind: "markdown", text: part.repeat(4000) });
    equal(chunks.length, 4000);
    ok(chunks.every(({ headingPath }) => headingPath.join() === "Heading"));
  });
});

describe("reading HTML", () => {
  it("makes Markdown of its structure", async () => {
    const html = `<!doctype html><title> A &amp; B </title><style>x</style><nav>no</nav><header>no</header>
      <article><header><h1>Hi  <b>there</b></h1></header><p>one<p>two <br>three <img alt="a picture" src=x>
      <ul><li>a<li>b<ol><li>one<li>two</ol></ul><table><tr><th>x<th>y<tr><td><p>1</p><td>2</table><pre>code\n  x\n</pre>
      <div aria-hidden=true>no</div><p style="color:red; display: none">no</p><h2>Next</h2>te&#x301;xt<script>no</script>`;
    const { title, text, chunks } = await read({ kind: "html", text: html });
    equal(title, "A & B");
    equal(
      text,
      "# Hi there\n\none\n\ntwo\nthree a picture\n\n- a\n- b\n   1. one\n   2. two\n\nx | y\n1 | 2\n\n```\ncode\n  x\n```\n\n## Next\n\nte\u0301xt",
    );
    deepEqual(
      chunks.map(({ headingPath }) => headingPath),
      [["Hi there"], ["Hi there", "Next"]],
    );
  });

  it("lets no text become structure", async () => {
    const texts = ["# no", "---", "===", "```", "~~~", "&lt;!-- no", "&lt;script>", "#"];
    for (const text of texts) {
      const document = await read({ kind: "html", text: `<p>above<br>${text}<p>${text}<p>below <h2>Real</h2><p>end` });
      deepEqual(
        document.chunks.map(({ headingPath }) => headingPath),
        [[], ["Real"]],
        text,
      );
    }
    const fenced = await read({ kind: "html", text: "<pre>```\n# no\n````\n</pre><h2>Real</h2>x" });
    deepEqual(
      fenced.chunks.map(({ headingPath }) => headingPath),
      [[], ["Real"]],
    );
  });

  it("reads what is broken", async () => {
    equal(await textOfHtml("<p>a<b>c</i></p></div>d<"), "ac\n\nd<");
    equal(await textOfHtml("a &nosuch; &lt; &#0; <!-- open"), "a &nosuch; < \ufffd");
    equal(await textOfHtml("<ul><li>a</ul></ul></ol><p>b"), "- a\n\nb");
    equal(await textOfHtml("<TABLE><TD>a<TD>b</TABLE>c"), "a | b\n\nc");
  });

  it("halves no character where its pieces meet", async () => {
    equal(await textOfHtml(`${"a".repeat(64 * 1024 - 1)}👍b`), `${"a".repeat(64 * 1024 - 1)}👍b`);
  });

  it("takes the first heading for a title where there is none", async () => {
    equal((await read({ kind: "html", text: "<h2>no</h2><h1>yes</h1><h1>no</h1>" })).title, "yes");
  });
});

describe("reading a PDF", () => {
  const lines = (texts: readonly string[], x = 50): PdfLine[] => texts.map((text, i) => ({ x, y: 700 - i * 14, text }));
  const pdf = (bytes: Uint8Array): DocumentContent => ({ kind: "pdf", bytes });
  const good = smallPdf({ pages: [lines(["hello world"])] });

  it("has the text of its pages and its title", async () => {
    const { title, text } = await read(
      pdf(smallPdf({ title: "My title", pages: [lines(["one", "two"]), lines(["three"])] })),
    );
    deepEqual([title, text], ["My title", "one\ntwo\n\nthree"]);
  });

  it("reads columns in the order in which they were drawn, and finds paragraphs", async () => {
    const columns = [...lines(["left one", "left two"]), ...lines(["right one", "right two"], 300)];
    equal((await read(pdf(smallPdf({ pages: [columns] })))).text, "left one\nleft two\nright one\nright two");
    const apart = [...lines(["a", "b", "c", "d"]), { x: 50, y: 600, text: "e" }];
    equal((await read(pdf(smallPdf({ pages: [apart] })))).text, "a\nb\nc\nd\n\ne");
  });

  it("mends only hyphens that the document itself explains", async () => {
    const page = lines(["An exam-", "ple of a well-", "known un-", "clear thing: example, well-known."]);
    const { text } = await read(pdf(smallPdf({ pages: [page] })));
    equal(text, "An example of a well-known un-\nclear thing: example, well-known.");
  });

  it("refuses what is broken, cut off, encrypted, or without text", async () => {
    const encrypted = smallPdf({
      pages: [lines(["hello"])],
      trailer: `/Encrypt 6 0 R /ID [<${"00".repeat(16)}> <${"00".repeat(16)}>]`,
      extraObjects: [
        `<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <${"ab".repeat(32)}> /U <${"cd".repeat(32)}> >>`,
      ],
    });
    await unreadable(pdf(encrypted), "broken");
    for (const size of [0, 1, 100, good.length >> 1, good.length - 60])
      await unreadable(pdf(good.slice(0, size)), "broken");
    await unreadable(pdf(new TextEncoder().encode("hello %%EOF")), "broken");
    await unreadable(pdf(smallPdf({ pages: [[]] })), "empty");
  });

  it("ends with a text or a reason for any damage", async () => {
    for (let at = 0; at < good.length; at += 7) {
      const bytes = good.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x15;
      await readDocument(pdf(bytes), chunking).catch((error) =>
        equal(error.name, "UnreadableDocumentError", String(error.stack)),
      );
    }
  });

  it("bounds the text that pages unpack to", async () => {
    const line = `BT /F1 12 Tf 1 0 0 1 50 700 Tm (${"all work and no play ".repeat(500)}) Tj ET
`;
    const stream = deflateSync(line.repeat(900));
    await unreadable(pdf(smallPdf({ pages: [[]], stream, filter: "/FlateDecode", width: 1_000_000 })), "too_large");
  }).timeout(60_000);
});
