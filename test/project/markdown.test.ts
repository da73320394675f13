import assert from "node:assert/strict";
import { fences } from "../../tools/markdown/fences.ts";
import { anchors, links } from "../../tools/markdown/links.ts";

describe("the reader of Markdown", () => {
  it("gives code blocks with their language, words, text, line and headings", () => {
    const markdown = "# A\n\n## B\n\n```sh run\necho 1\n\necho 2\n```\n## C\n~~~\nx\n~~~\n";
    assert.deepEqual(fences(markdown), [
      { language: "sh", words: ["run"], text: "echo 1\n\necho 2\n", line: 5, headings: ["A", "B"] },
      { language: "", words: [], text: "x\n", line: 11, headings: ["A", "C"] },
    ]);
  });

  it("takes a shorter fence, another kind of fence, and a heading inside a block for code", () => {
    const [fence, ...others] = fences("````md\n```sh\n# not a heading\n~~~~\n```\n````\n");
    assert.equal(fence?.text, "```sh\n# not a heading\n~~~~\n```\n");
    assert.deepEqual(others, []);
  });

  it("removes the indentation of the fence from its lines", () => {
    assert.equal(fences("  ```\n  a\n    b\n  ```\n")[0]?.text, "a\n  b\n");
  });

  it("refuses a block that is not closed", () => {
    assert.throws(() => fences("text\n```sh\necho\n"), /line 2 is not closed/);
  });

  it("finds links, images and definitions with their lines, outside of code", () => {
    const markdown =
      '[a](one.md) ![b](two.png "t")\n`[c](no.md)`\n```\n[d](no.md)\n```\n[e]: three.md\n<img src="four.svg">\n';
    assert.deepEqual(links(markdown), [
      { target: "one.md", line: 1 },
      { target: "two.png", line: 1 },
      { target: "three.md", line: 6 },
      { target: "four.svg", line: 7 },
    ]);
  });

  it("makes anchors of headings as GitHub does", () => {
    const markdown = "# What it is, & what not\n## `code` and [link](x.md)\n## Same\n## Same\n";
    assert.deepEqual([...anchors(markdown)], ["what-it-is--what-not", "code-and-link", "same", "same-1"]);
  });
});
