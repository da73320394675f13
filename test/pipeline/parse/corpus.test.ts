import assert from "node:assert/strict";
import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { gradeCorpus } from "./grade.ts";

describe("the corpus of model answers", () => {
  const grades = gradeCorpus(new URL("../../cases/parse_cases.jsonl", import.meta.url), createJsonSchemas());

  it("never yields a value that the model did not write", () => assert.deepEqual(grades.wrongValue, []));
  it("never accepts what must be rejected", () => assert.deepEqual(grades.falseAccept, []));
  it("never throws", () => assert.deepEqual(grades.crash, []));
  it("reads everything that can be read in exactly one way", () => assert.deepEqual(grades.missed, []));
  it("holds the cases that it is meant to hold", () => assert.equal(grades.right.length, 89));
});
