import assert from "node:assert/strict";
import { nearestNames } from "../../src/core/nearest-names.ts";

describe("nearest names", () => {
  const prompts = ["summarize", "extract-invoice", "classify-ticket", "answer-with-sources"];

  it("puts the name with the fewest edits first", () => {
    assert.equal(nearestNames("sumarise", prompts)[0], "summarize");
    assert.equal(nearestNames("extract-invioce", prompts)[0], "extract-invoice");
  });

  it("counts two swapped neighbours as one edit", () => {
    assert.deepEqual(nearestNames("ab", ["ba", "cd"]), ["ba", "cd"]);
    assert.deepEqual(nearestNames("abcd", ["abxx", "abdc"]), ["abdc", "abxx"]);
  });

  it("does not care about case", () => {
    assert.equal(nearestNames("SUMMARIZE", ["summaries", "summarize"])[0], "summarize");
  });

  it("lists equally near names in alphabetical order", () => {
    assert.deepEqual(nearestNames("v9", ["v3", "v1", "v2"]), ["v1", "v2", "v3"]);
  });

  it("gives at most five names, or as many as asked for", () => {
    const names = ["a1", "a2", "a3", "a4", "a5", "a6"];
    assert.equal(nearestNames("a", names).length, 5);
    assert.equal(nearestNames("a", names, 2).length, 2);
  });

  it("gives nothing where nothing exists", () => {
    assert.deepEqual(nearestNames("x", []), []);
  });

  it("compares an enormous name by its beginning", () => {
    assert.deepEqual(nearestNames(`fast${"x".repeat(5_000_000)}`, ["slow", "fast"], 1), ["fast"]);
  });
});
