import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { plantedBugs } from "./planted-bugs.ts";

describe("the bugs that show that the properties bite", () => {
  for (const { what, file, from, to } of plantedBugs) {
    it(`can still be planted: ${what}`, () => {
      assert.equal(readFileSync(file, "utf8").split(from).length - 1, 1, `its text must stand once in ${file}`);
      assert.notEqual(from, to);
    });
  }
});
