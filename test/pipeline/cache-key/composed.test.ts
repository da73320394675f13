import assert from "node:assert/strict";
import { composed } from "../../../src/pipeline/cache-key/composed.ts";

/** All characters that are no halves of others. */
function* characters(): Generator<string> {
  for (let code = 0; code <= 0x10ffff; code += 1) {
    if (code < 0xd800 || code > 0xdfff) yield String.fromCodePoint(code);
  }
}

describe("the composed spelling of a text", () => {
  it("is one for a letter with combining marks and the letter that has them", () => {
    for (const text of [
      "caf\u00e9",
      "ti\u1ebfng Vi\u1ec7t",
      "\ud55c\uad6d\uc5b4",
      "\u304c\u304e",
      "\u0915\u093c",
      "\u1f80",
    ]) {
      assert.equal(composed(text.normalize("NFD")), text);
      assert.equal(composed(text), text);
    }
    // Marks on two sides of a letter may come in any order; marks on the same side may not.
    assert.equal(composed("a\u0301\u0323"), composed("a\u0323\u0301"));
    assert.notEqual(composed("a\u0301\u0308"), composed("a\u0308\u0301"));
  });

  it("is NFC for every character, except for those that stand for another single one", () => {
    let singletons = 0;
    for (const character of characters()) {
      const nfc = character.normalize("NFC");
      const isSingleton = nfc !== character && [...nfc].length === 1;
      if (isSingleton) singletons += 1;
      const expected = isSingleton ? character : nfc;
      if (composed(character) !== expected) assert.fail(`U+${character.codePointAt(0)?.toString(16)}`);
    }
    assert.ok(singletons >= 1035);
  });

  it("keeps such a character among others", () => {
    assert.equal(composed("5 \u212b, cafe\u0301 \u212a \uf900\u{2f800}"), "5 \u212b, caf\u00e9 \u212a \uf900\u{2f800}");
    assert.notEqual(composed("\u212b"), composed("\u00c5"));
    assert.notEqual(composed("\u2126\u0301"), composed("\u03a9\u0301"));
  });

  it("folds nothing else: no case, no width, no ligature, no white space", () => {
    for (const text of [
      "\ufb01",
      "\uff21",
      "\u00a0",
      "\u2003",
      "\u00b2",
      "\u200d\u{1f468}",
      "\u0130",
      "\ufeff",
      "\r\n",
    ]) {
      assert.equal(composed(text), text);
    }
  });

  it("leaves a text alone that has 32 marks in a row, wherever they begin, and no other", () => {
    for (let before = 0; before < 40; before += 1) {
      const start = "x".repeat(before);
      const tooMany = `${start}e${"\u0301".repeat(32)} e\u0301`;
      assert.equal(composed(tooMany), tooMany);
      assert.equal(composed(`${start}e${"\u0301".repeat(31)} e\u0301`), `${start}\u00e9${"\u0301".repeat(30)} \u00e9`);
    }
    const manyBeyond = `e\u0301${"\u{1d165}".repeat(16)}`;
    assert.equal(composed(manyBeyond), manyBeyond);
  });

  it("takes no longer for a megabyte of marks than it may", function () {
    // With the square of their number this takes minutes, and runs into the timeout.
    this.timeout(10_000);
    const marks = `a${"\u0301\u0316".repeat(500_000)}`;
    assert.equal(composed(marks), marks);
    assert.ok(composed(`a${"\u0301\u0316".repeat(15)}`.repeat(30_000)));
    assert.ok(composed("\u212b\u0301".repeat(500_000)));
  });
});
