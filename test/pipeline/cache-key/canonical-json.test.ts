import assert from "node:assert/strict";
import { canonicalJson } from "../../../src/pipeline/cache-key/canonical-json.ts";

const written = (text: string) => canonicalJson(text, { sortKeys: true });
const schema = (text: string) => canonicalJson(text, { sortKeys: false, numbers: "by_value" });

describe("canonical JSON", () => {
  it("has no white space outside of texts, and one spelling for each text", () => {
    assert.equal(written(' {\r\n\t"a b" : [ true , null,"x y" ] } '), '{"a b":[true,null,"x y"]}');
    assert.equal(written('"\\u0041\\/\\u00e9\\u000a\\ud83e\\udd80"'), '"A/\u00e9\\n\u{1f980}"');
    assert.equal(written('"\\ud800"'), written('"\ud800"'));
    assert.equal(written('["\\"","\\\\",""]'), '["\\"","\\\\",""]');
  });

  it("has its keys in order where their order is spelling, at every level", () => {
    assert.equal(written('{"b":{"2":1,"10":2},"\\u0061":[{"z":1,"y":2}]}'), '{"a":[{"y":2,"z":1}],"b":{"10":2,"2":1}}');
    assert.equal(schema('{"b":{"2":1,"10":2},"\\u0061":[]}'), '{"b":{"2":1,"10":2},"a":[]}');
    assert.equal(written('{"__proto__":1,"":2}'), '{"":2,"__proto__":1}');
    assert.equal(written('{"a":2,"b":0,"a":1}'), '{"a":2,"a":1,"b":0}');
  });

  it("keeps the digits of numbers as they are written", () => {
    const text = "[9007199254740993,1.10,1.1,1e5,1E+5,-0,0.0,123456789012345678901234567890]";
    assert.equal(written(text), text);
  });

  it("gives numbers of one value one spelling, without losing digits", () => {
    const groups = [
      ["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000"],
      ["0", "-0", "0.0", "0e5", "-0.00E-999999999999999999999"],
      ["-1.5", "-15e-1", "-1.50"],
      ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"],
      ["9007199254740992"],
      ["0.1", "1e-1"],
      ["0.1000000000000000055511151231257827"],
      ["1e-400", "10e-401"],
      ["1e-99999999999999999998"],
      ["1e-99999999999999999999"],
      ["100", "1e2", "1E02"],
    ];
    const spellings = groups.map((group) => [...new Set(group.map(schema))]);
    for (const [index, found] of spellings.entries()) assert.equal(found.length, 1, groups[index]?.join());
    assert.equal(new Set(spellings.flat()).size, groups.length);
  });

  it("leaves a text that is no JSON as it is", () => {
    for (const text of ["", "{", "1 2", '{"a" 1}', "[1,]", "01", '"\n"', "nul", "{a:1}", "\u00a01"]) {
      assert.equal(written(text), text);
    }
  });

  it("is a text for all JSON, and the same for what it makes", () => {
    const texts = ["1", '""', "[]", "{}", "[[],{}]", '{"a":{}}', "[[1],[2,[3]]]", "null", " [ ] "];
    for (const text of texts) {
      assert.equal(written(text), JSON.stringify(JSON.parse(text)));
      assert.equal(written(written(text)), written(text));
    }
  });

  it("stands any depth and any size that a message can have", () => {
    const deep = `${'{"a":['.repeat(100_000)}${"]}".repeat(100_000)}`;
    assert.equal(Buffer.byteLength(written(deep)), deep.length);
    const escapes = `"${"\\n".repeat(500_000)}"`;
    assert.equal(written(escapes), escapes);
    const digits = `[${"1".repeat(1_000_000)}]`;
    assert.equal(schema(digits), digits);
  });
});
