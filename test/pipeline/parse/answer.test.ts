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
    const texts = ['{"a":[1', '{"a":[1]}\n{"a":', "<think>hm", '<think>a <think>b</think> {"a":[1]}', ""];
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

describe("the example that a model was shown", () => {
  const shownExample = '{"a": [1]}';
  const parse = (text: string) => parseAnswer({ text, finish: "stop" }, { ...object, shownExample });

  it("is no answer among other text or values", () => {
    for (const text of ['The form is {"a":[1]}.', '{"a":[1]} [2]', 'As shown:\n```json\n{"a":[1.0]}\n```']) {
      assert.deepEqual(parse(text), {
        ok: false,
        violations: [
          {
            path: "",
            rule: "json",
            expected: "the value for this request",
            got: "the example of the instructions among other text",
          },
        ],
        truncated: false,
      });
    }
  });

  it("may be the answer where it stands alone", () => {
    for (const text of ['{"a":[1]}', '```json\n{"a":[1]}\n```']) assert.ok(parse(text).ok);
    assert.ok(parse('It is {"a":[2]}').ok);
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
    "<think><think></think>",
    "<think></thinking>",
    "<think></think><thinking>",
    '"x", ',
    "1#c\n",
    "{} | ",
    '```\n4\n```\n4 "',
  ];

  for (const piece of hostile) {
    it(`end in an answer without using up stack or time: ${JSON.stringify(piece)} many times`, () => {
      const text = piece.repeat(Math.floor(size / piece.length));
      for (const answer of [text, `{"a":"${text}`, `${text}{"a":[1]}`])
        parseAnswer({ text: answer, finish: "stop" }, object);
    });
  }

  // At this size a reader that goes back over the text for each of its characters takes minutes.
  for (const space of [
    " ",
    "\n",
    "\f",
    "\u00a0",
    "\u200b",
    "\t ",
    ", ",
    "` ",
    "~ ",
    "[1 # ]",
    "[1 /* ]",
    "[12:30] ",
    "“</think>",
    "'</think>",
    ": ",
    '" :',
    "0",
    "</think ",
  ]) {
    const many = space.repeat(Math.floor(size / space.length));
    const places: Record<string, string> = {
      "behind a value": `x{"a":[1]}${many}`,
      "before a value": `x${many}{"a":[1]}`,
      "around a value": `${many}{"a":[1]}${many}.`,
      "between values": `{"a":[1]}${many}{"a":[1]}${many}x`,
      "in a fence": `\`\`\`json\n{"a":[1]}${many}\n\`\`\`${many}”`,
      "inside a value": `{"a":${many}[1]${many}}${many}`,
      "after a quote": `x "a"${many}: "b"${many}{"a":[1]}`,
      "in a number": `{"a":[1.${many}]}`,
    };
    it(`end in an answer although it is long what stands around the value: ${JSON.stringify(space)}`, () => {
      for (const text of Object.values(places)) parseAnswer({ text, finish: "stop" }, object);
    });
  }

  it("end where candidates cost too much to check", () => {
    const self = { $ref: "#/$defs/n" };
    const tree = json({
      ...self,
      $defs: {
        n: {
          anyOf: [
            { items: self, type: "array" },
            { items: self, type: "array" },
          ],
        },
      },
    });
    const parsed = parseAnswer(
      { text: `x ${`${"[".repeat(40)}1${"]".repeat(40)} `.repeat(60)}`, finish: "stop" },
      tree,
    );
    assert.equal(!parsed.ok && parsed.violations[0]?.rule, "cost");
  });

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

it("a problem behind reasoning is quoted from where it is", () => {
  const schema = createJsonSchemas().compile("{}");
  const text = `<think>${"x".repeat(100)}</think>{"a": nope}`;
  const parsed = parseAnswer({ text, finish: "stop" }, { kind: "json", schema });
  assert.ok(!parsed.ok);
  assert.match(parsed.violations[0]?.got ?? "", /^"nope/);
});
