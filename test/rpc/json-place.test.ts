import assert from "node:assert/strict";
import { jsonFaultPlace } from "../../src/rpc/call/json-place.ts";

describe("the place of a fault in JSON", () => {
  const cases: readonly [text: string, line: number, column: number][] = [
    ["", 1, 1],
    ["{", 1, 2],
    ['{"a":x}', 1, 6],
    ['{"a":1,}', 1, 8],
    ['{"a" 1}', 1, 6],
    ["{a:1}", 1, 2],
    ["[1 2]", 1, 4],
    ["[1,]", 1, 4],
    ["[01]", 1, 3],
    ["]", 1, 1],
    ['{"a":1]', 1, 7],
    ['{"a":1}\n{', 2, 1],
    ['{\r\n  "a": "never ends\n}', 2, 8],
    ['["\\x"]', 1, 2],
    ['["tab\t"]', 1, 2],
    ['["ok \\u00e9\\"", tru]', 1, 17],
  ];
  for (const [text, line, column] of cases) {
    it(`is line ${line}, column ${column} in ${JSON.stringify(text)}`, () => {
      assert.throws(() => JSON.parse(text));
      assert.deepEqual(jsonFaultPlace(text), { line, column });
    });
  }

  it("is nowhere in what is JSON", () => {
    for (const text of ["0", ' {"a":[{},[],null,true,-1.5e+3,"\\n\u2028"]} ', '"x"', "[[],[1]]"]) {
      assert.equal(jsonFaultPlace(text), undefined, text);
    }
  });

  it("is found in time that grows with the text, however deep or long that is", () => {
    assert.equal(jsonFaultPlace("[".repeat(4_000_000)), undefined);
    assert.deepEqual(jsonFaultPlace(`["${"a".repeat(4_000_000)}`), { line: 1, column: 2 });
    assert.deepEqual(jsonFaultPlace(`[${"1,".repeat(2_000_000)}]`), { line: 1, column: 4_000_002 });
  });
});
