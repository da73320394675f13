import assert from "node:assert/strict";
import { distinct } from "../../../src/pipeline/retrieve/distinct.ts";

const ids = (texts: readonly string[]) => {
  const { kept, duplicates } = distinct(texts.map((text, id) => ({ id, text })));
  return [kept.map(({ id }) => id), duplicates.map(({ id }) => id)];
};

const paragraph =
  "Rooms are ready from three in the afternoon. Guests who come earlier can leave their bags in the pantry and have coffee in the library.";

describe("chunks that repeat each other", () => {
  it("are told by their words, whatever case and punctuation", () => {
    assert.deepEqual(ids([paragraph, paragraph.toUpperCase().replaceAll(".", "!"), "Dogs are welcome."]), [
      [0, 2],
      [1],
    ]);
  });

  it("are those of which a better one holds nearly all, not those that hold more", () => {
    const longer = `${paragraph} After nine in the evening the front door is locked, and the code comes by text message.`;
    assert.deepEqual(ids([longer, paragraph]), [[0], [1]]);
    assert.deepEqual(ids([paragraph, longer]), [[0, 1], []]);
  });

  it("are not those that share a sentence, as neighbours do", () => {
    const [first = "", second = ""] = paragraph.split(". ");
    assert.deepEqual(ids([`${"a b c d e f g ".repeat(3)}${first}`, `${first}. ${second}`]), [[0, 1], []]);
  });

  it("are found in scripts without blanks, and among texts of a word or none", () => {
    assert.deepEqual(ids(["早餐从七点半到十点供应。", "早餐从七点半到十点供应", "狗不得进入早餐室。"]), [[0, 2], [1]]);
    assert.deepEqual(ids(["yes", "Yes!", "no", "§", "§"]), [
      [0, 2, 3],
      [1, 4],
    ]);
  });
});
