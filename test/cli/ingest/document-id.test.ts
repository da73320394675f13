import assert from "node:assert/strict";
import { idOf, kindOf, pathOf } from "../../../src/cli/ingest/document-id.ts";

describe("ids of ingested documents", () => {
  it("are paths whose odd characters are percent-encoded", () => {
    assert.equal(idOf("a/b c.md"), "a/b c.md");
    assert.equal(idOf("[1] #2.md"), "%5B1%5D %232.md");
    assert.equal(idOf("a\nb\x7f.md"), "a%0Ab%7F.md");
    assert.equal(idOf("100%.md"), "100%.md");
    assert.equal(idOf("%41.md"), "%2541.md");
    assert.equal(idOf(`${"é".repeat(99)}.m`), `${"é".repeat(99)}.m`);
    assert.equal(idOf(`${"é".repeat(99)}.md`), undefined);
  });

  it("lead back to their paths, so that no two paths have one", () => {
    const pieces = ["%", "2", "5", "B", "[", "#", "a", "/", "\n"];
    const ids = new Map<string, string>();
    for (let number = 0; number < pieces.length ** 4; number += 1) {
      const digits = [0, 1, 2, 3].map((place) => pieces[Math.floor(number / pieces.length ** place) % pieces.length]);
      const path = `x${digits.join("")}x.md`;
      const id = idOf(path) ?? "";
      assert.equal(ids.get(id) ?? path, path);
      ids.set(id, path);
      if (!path.includes("//")) assert.equal(pathOf(id), path);
    }
  });

  it("that no walk can have produced have no path", () => {
    for (const id of [
      ...["a", "a.png", ".a.md", "b/.git/a.md", "node_modules/a.md", "../a.md", "./a.md", "/a.md", "a//b.md"],
      ...["a[1].md", "a%5b.md", "%41.md", "a%00.md", "https://example.com/a.html", ""],
    ]) {
      assert.equal(pathOf(id), undefined, id);
    }
  });

  it("tell kinds by the ends of names", () => {
    const names = ["a.MD", "a.htm", "b/c.pdf", "a.text", "a.b.txt", ".md", "b/.md", "a.__proto__", "md"];
    assert.deepEqual(names.map(kindOf), ["markdown", "html", "pdf", "text", "text", ...Array(4).fill(undefined)]);
  });
});
