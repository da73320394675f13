import assert from "node:assert/strict";
import { embeddedText, fitsModel } from "../../src/pipeline/embedded-text.ts";
import { embeddingTarget } from "../support/embedding-models.ts";
import { wordCounter } from "../support/pipeline-ports.ts";

const always = () => true;

describe("the text that is embedded for a chunk", () => {
  it("has the title and the headings above it", () => {
    const chunk = { title: "Terms", headingPath: ["Terms", "Leave", "Notice"], text: "Two weeks." };
    assert.equal(embeddedText(chunk, always), "Terms\nLeave > Notice\n\nTwo weeks.");
    assert.equal(embeddedText({ ...chunk, title: "" }, always), "Terms > Leave > Notice\n\nTwo weeks.");
    assert.equal(embeddedText({ title: "Terms", headingPath: [], text: "Two." }, always), "Terms\n\nTwo.");
    assert.equal(embeddedText({ title: "", headingPath: [], text: "Two." }, always), "Two.");
  });

  it("keeps the innermost of long headings, and cuts no character in half", () => {
    const chunk = { title: `${"t".repeat(119)}😀`, headingPath: ["a".repeat(200), "b".repeat(200)], text: "x" };
    const [title, headings] = embeddedText(chunk, always).split("\n");
    assert.equal(title, "t".repeat(119));
    assert.equal(headings, `${"a".repeat(40)} > ${"b".repeat(200)}`);
  });

  it("is the chunk alone where all of it is more than the model takes", () => {
    const fits = fitsModel(wordCounter, embeddingTarget({ maxInputTokens: 3 }));
    assert.equal(embeddedText({ title: "T", headingPath: [], text: "one two" }, fits), "T\n\none two");
    assert.equal(embeddedText({ title: "T", headingPath: [], text: "one two three" }, fits), "one two three");
  });

  it("is not counted where it is certainly short enough", () => {
    let counted = 0;
    const counter = { ...wordCounter, count: () => ++counted };
    const fits = fitsModel(counter, embeddingTarget({ maxInputTokens: 300 }));
    assert.equal(fits("x".repeat(100)), true);
    assert.equal(counted, 0);
    fits("x".repeat(101));
    assert.equal(counted, 1);
  });
});
