import assert from "node:assert/strict";
import { dueDate } from "../../../src/adapters/sandbox/json/due-date.ts";
import { labelledValues } from "../../../src/adapters/sandbox/json/labels.ts";
import { readBoolean, readCurrency, readDate, readNumber } from "../../../src/adapters/sandbox/json/read-value.ts";
import { enclosedTexts } from "../../../src/adapters/sandbox/text/enclosed-texts.ts";
import { sentencesOf } from "../../../src/adapters/sandbox/text/sentences.ts";

describe("reading values from text", () => {
  for (const [text, value] of [
    ["1,234.50", 1234.5],
    ["1.234,50 €", 1234.5],
    ["EUR 1 234.50", 1234.5],
    ["CHF 1'234.50", 1234.5],
    ["1,234", 1234],
    ["1.234.567", 1234567],
    ["0.125", 0.125],
    ["12,5", 12.5],
    ["-119.60", -119.6],
    ["(42)", -42],
    ["19 %", 19],
    ["$ 5", 5],
    ["3 of 12", 3],
    ["DE123456789", undefined],
    ["none", undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as the number ${value}`, () => assert.equal(readNumber(text), value));
  }

  for (const [text, date] of [
    ["2024-10-17", "2024-10-17"],
    ["on 17 October 2024,", "2024-10-17"],
    ["October 17th, 2024", "2024-10-17"],
    ["17.10.2024", "2024-10-17"],
    ["10/17/2024", "2024-10-17"],
    ["17/10/2024", "2024-10-17"],
    ["30 February 2024", undefined],
    ["soon", undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as the date ${date}`, () => assert.equal(readDate(text), date));
  }

  it("reads currencies and truth values", () => {
    assert.deepEqual(["Total SEK 5", "5 €", "five"].map(readCurrency), ["SEK", "EUR", undefined]);
    assert.deepEqual(["Yes, both", "no", "notable"].map(readBoolean), [true, false, undefined]);
  });

  it("counts terms of payment from the date of the invoice, over the end of a year", () => {
    assert.equal(dueDate("Terms          30 days net", "2024-12-17"), "2025-01-16");
    assert.equal(dueDate("Payable within 14 days", "2024-02-20"), "2024-03-05");
    assert.equal(dueDate("Complaints within 8 days of delivery", "2024-02-20"), undefined);
  });

  it("finds labels before colons, in neighbouring columns, above their values and before numbers", () => {
    const labels = labelledValues(
      "Name: Ann\nPlace        Oslo\nBill to:\nBrightwell Ltd\nTOTAL DUE    EUR    3,364.20\nInvoice no. A-17",
    );
    assert.deepEqual(
      labels.map(({ value }) => value),
      ["Ann", "Oslo", "Brightwell Ltd", "EUR 3,364.20", "A-17"],
    );
  });
});

describe("taking texts apart", () => {
  it("finds what tags and fences set apart", () => {
    assert.deepEqual(enclosedTexts("Do this:\n<text>\none\n</text>\n```json\n{}\n```\n<b>two</b> not this"), [
      "one",
      "{}",
    ]);
    assert.deepEqual(enclosedTexts("<a>\n<b>\nx\n</b>\n</a>"), ["x", "<b>\nx\n</b>"]);
    assert.deepEqual(enclosedTexts("<a>\nnever closed"), []);
  });

  it("splits sentences, not at abbreviations, and keeps headings and items apart", () => {
    assert.deepEqual(sentencesOf('# Title\nDr. Brennan came\nat 4.5 m. "It sank," she said. Why?\n\n- one\n- two'), [
      "Title",
      "Dr. Brennan came at 4.5 m.",
      '"It sank," she said.',
      "Why?",
      "one",
      "two",
    ]);
  });
});
