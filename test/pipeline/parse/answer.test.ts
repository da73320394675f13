import assert from "node:assert/strict";
import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { parseAnswer } from "../../../src/pipeline/parse.ts";

const schemas = createJsonSchemas();
const json = (definition: unknown) => ({ kind: "json", schema: schemas.compile(JSON.stringify(definition)) }) as const;
const object = json({ type: "object", properties: { a: { type: "array", items: { type: "integer" } } } });

describe("text answers", () => {
  it("are passed on as they are, cut or not", () => {
    for (const finish of ["stop", "length"] as const) {
      const parsed = parseAnswer({ text: " <think>x</think> {a ", finish }, { kind: "text" });
      assert.deepEqual(parsed, { ok: true, text: " <think>x</think> {a ", repairs: [] });
    }
  });

  it("fail when there is nothing in them, and say whether they are cut", () => {
    const violations = [{ path: "", rule: "empty", expected: "an answer", got: "an empty text" }];
    assert.deepEqual(parseAnswer({ text: " \n", finish: "stop" }, { kind: "text" }), {
      ok: false,
      violations,
      truncated: false,
    });
    assert.deepEqual(parseAnswer({ text: "", finish: "length" }, { kind: "text" }), {
      ok: false,
      violations,
      truncated: true,
    });
  });
});

describe("JSON answers that ran into the limit of tokens", () => {
  it("are taken when the value is whole", () => {
    assert.ok(parseAnswer({ text: '{"a":[1]}\n\nNote that', finish: "length" }, object).ok);
  });

  it("are cut when the value is not, or could go on", () => {
    const texts = ['{"a":[1', '{"a":[1]}\n{"a":', "<think>hm", ""];
    for (const text of texts) {
      const parsed = parseAnswer({ text, finish: "length" }, object);
      assert.ok(!parsed.ok && parsed.truncated, text);
    }
    const bare = parseAnswer({ text: "42", finish: "length" }, json({ type: "number" }));
    assert.ok(!bare.ok && bare.truncated);
  });

  it("are wrong, not cut, when a whole value breaks the schema", () => {
    const parsed = parseAnswer({ text: '{"a":["1"]}', finish: "length" }, object);
    assert.deepEqual(parsed, {
      ok: false,
      violations: [{ path: "/a/0", rule: "type", expected: "integer", got: 'string "1"' }],
      truncated: false,
    });
  });
});

describe("what is wrong with an answer", () => {
  it("is told with the path, what was expected and what was there", () => {
    const parsed = parseAnswer({ text: '{"a":[1, 02]}', finish: "stop" }, object);
    assert.deepEqual(!parsed.ok && parsed.violations, [
      { path: "/a/1", rule: "json", expected: "a number as JSON writes it", got: '"02]}"' },
    ]);
  });

  it("is told in bounded words", () => {
    const parsed = parseAnswer({ text: `{"a": ${"x".repeat(10_000)}}`, finish: "stop" }, object);
    assert.ok(!parsed.ok && JSON.stringify(parsed.violations).length < 400);
  });
});

describe("hostile answers", () => {
  const size = 500_000;
  const hostile = [
    "[",
    "{",
    '{"a":',
    "```\n",
    "<think>",
    "</think>",
    "\"'</think>",
    '{"</think>',
    "{/*</think>",
    "{a ",
    "[1 ",
    '"',
    "`",
    "{} ",
    "\\",
    "// x\n",
    "\u200b",
    "}",
    "a</think>",
    "<think>a</think>",
    "'",
    "{'a':",
    "#",
    "-",
    "1",
    "{}]]>",
  ];

  for (const piece of hostile) {
    it(`end in an answer without using up stack or time: ${JSON.stringify(piece)} many times`, () => {
      const text = piece.repeat(Math.floor(size / piece.length));
      for (const answer of [text, `{"a":"${text}`, `${text}{"a":[1]}`])
        parseAnswer({ text: answer, finish: "stop" }, object);
    });
  }

  it("may be large and whole", () => {
    const text = JSON.stringify({ a: Array.from({ length: 100_000 }, (_, index) => index) });
    const parsed = parseAnswer({ text, finish: "stop" }, object);
    assert.ok(parsed.ok && parsed.text === text);
  });

  it("may be nested to 512 levels, not more", () => {
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    assert.ok(parseAnswer({ text: nested(512), finish: "stop" }, json({})).ok);
    assert.ok(!parseAnswer({ text: nested(513), finish: "stop" }, json({})).ok);
    assert.ok(!parseAnswer({ text: `x ${nested(100_000)}`, finish: "stop" }, json({})).ok);
  });
});
