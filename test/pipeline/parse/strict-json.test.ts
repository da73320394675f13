import assert from "node:assert/strict";
import { readStrict } from "../../../src/pipeline/parse/strict-json.ts";

describe("the fast way of reading strict JSON", () => {
  it("leaves a number of sixteen digits to the careful reader, wherever in the text it stands", () => {
    for (let before = 0; before < 40; before += 1) {
      for (const after of ["", ",1", `,"${"x".repeat(40)}"`]) {
        const text = (digits: string) => `["${"x".repeat(before)}",${digits}${after}]`;
        assert.equal(readStrict(text("1234567890123456")), undefined);
        assert.equal(readStrict(text(`12345678901234567890`)), undefined);
        assert.deepEqual(readStrict(text("123456789012345"))?.value, JSON.parse(text("123456789012345")));
        assert.ok(readStrict(text("123456789012345,67890")), "two numbers are not one");
      }
    }
  });

  it("leaves all else that JSON.parse makes something of in silence", () => {
    const doubtful = [
      '{"__proto__":1}',
      '{"\\u005f_proto__":1}',
      "[1e5]",
      "[1E-5]",
      '["\\ud83d"]',
      '["\ud83d"]',
      '{"a":1,"a":2}',
    ];
    for (const text of doubtful) assert.equal(readStrict(text), undefined, text);
    for (const text of ['{"proto":"2 eggs"}', '["\\u00f8","é",1.5,-0.25]', '{"a":":","b":{"a":"::"}}']) {
      assert.deepEqual(readStrict(text)?.value, JSON.parse(text));
    }
  });
});
