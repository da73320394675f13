import assert from "node:assert/strict";
import { createJsonSchemas } from "../../../src/adapters/json-schema/index.ts";
import { parseAnswer, type Repair } from "../../../src/pipeline/parse.ts";

const schemas = createJsonSchemas();
const manifest = schema({
  type: "object",
  properties: { vessel: { type: "string" }, berth: { type: "integer" } },
  required: ["vessel", "berth"],
  additionalProperties: false,
});
const pair = schema({ type: "object", required: ["a", "b"], properties: { a: { type: "integer" }, b: {} } });
const note = schema({ type: "object", required: ["note"], properties: { note: { type: "string" } } });
const integer = schema({ type: "object", required: ["n"], properties: { n: { type: "integer" } } });
const list = schema({ type: "array", items: { type: "integer" } });
const number = schema({ type: "number" });
const string = schema({ type: "string" });

const skarv = '{"vessel":"Skarv","berth":4}';
const tern = '{"vessel":"Tern","berth":9}';

function schema(definition: unknown) {
  return schemas.compile(JSON.stringify(definition));
}

type Accepted = readonly [answer: string, schema: ReturnType<typeof schema>, text: string, ...repairs: Repair[]];

const accepted: Readonly<Record<string, readonly Accepted[]>> = {
  "takes one value out of fences and words": [
    [`Here:\n\`\`\`json\n${skarv}\n\`\`\`\nFill {vessel}.`, manifest, skarv, "code_fence", "surrounding_text"],
    [`\`\`\`json\n${skarv}`, manifest, skarv, "code_fence"],
    [`[2026-01-01 12:30:00] INFO ${skarv}`, manifest, skarv, "surrounding_text"],
    [`const x = ${skarv};`, manifest, skarv, "surrounding_text"],
    [`<answer><![CDATA[${skarv}]]></answer>`, manifest, skarv, "surrounding_text"],
    [`{"error":"x"} ${skarv}`, manifest, skarv],
    ["```\n42\n```", number, "42", "code_fence"],
    ["See [the log](http://x/{id}): [1, 2].", list, "[1, 2]", "surrounding_text"],
  ],
  "counts equal values once": [
    [`${skarv}\n${skarv}`, manifest, skarv, "other_value"],
    ['{"a":1,"b":-0} {"a":1.0,"b":0}', pair, '{"a":1,"b":-0}', "other_value"],
  ],
  "reports all that was left out around the value": [
    [`{"error":"x"} ${skarv}`, manifest, skarv, "other_value"],
    [`~~~json\n${skarv}\n~~~`, manifest, skarv, "code_fence"],
    [`\f${skarv}\f`, manifest, skarv, "invisible_characters"],
    [`~~~\n${skarv}\n~~~\n\u00a0`, manifest, skarv, "code_fence", "invisible_characters"],
  ],
  "takes the value where a bad one comes before it, or one of another kind behind it": [
    [`{"vessel":"Skarv","berth":"4"} or rather ${skarv}`, manifest, skarv],
    [`${skarv} (from {"source": "log"} and [1])`, manifest, skarv],
    ['[1, 2] for {"n": 2}', list, "[1, 2]"],
  ],
  "takes comments that are only remarks": [
    ['{"a":7, // order 8 was dropped\n"b":1 /* berth 5 or 6 */}', pair, '{"a":7,"b":1}', "comments"],
    ['{"a":7 # "x" is the name\n, "b":1}', pair, '{"a":7,"b":1}', "comments"],
  ],
  "takes comments that touch what they follow": [
    ['{"n":1//c\n}', integer, '{"n":1}', "comments"],
    ['{"n":1/*c*/}', integer, '{"n":1}', "comments"],
    ['{"n":1#c\n}', integer, '{"n":1}', "comments"],
    ['{"n": 1,#c\n}', integer, '{"n":1}', "comments", "trailing_comma"],
    ['{/* a */"n"/* b */:/* c */1/* d */}', integer, '{"n":1}', "comments"],
    ["[1/*a*/,2/*b*/]", list, "[1,2]", "comments"],
    ["[true//a\n,False#b\n]", schema({}), "[true,false]", "comments"],
  ],
  "takes a value behind words that end in a comma or a colon": [
    [`Sure, ${skarv}`, manifest, skarv],
    [`In 2025, ${skarv}`, manifest, skarv],
    [`At 12:30, ${skarv}`, manifest, skarv],
    [`Dear {name}, ${skarv}`, manifest, skarv],
    [`Step 1: ${skarv}`, manifest, skarv],
    [`For "Skarv": ${skarv}`, manifest, skarv],
  ],
  "takes values between lines and items that only look like operators": [
    [`${skarv}\n---\n${skarv}`, manifest, skarv],
    [`- ${skarv}\n- ${skarv}`, manifest, skarv],
    [`| ${skarv} |`, manifest, skarv],
    [`${skarv}\n\n[1]`, manifest, skarv],
  ],
  "takes a scalar in a fence between words, and beside itself": [
    ["The sum is 4:\n```\n4\n```\nas wanted.", number, "4"],
    ["It's the ship's name:\n```\n\"Skarv\"\n```\nof 2025.", string, '"Skarv"'],
  ],
  "leaves reasoning out": [
    [`<think>a <think>b ${tern}</think> ${tern}</think>${skarv}`, manifest, skarv, "reasoning"],
    [`<reasoning>a <think>b</think> ${tern}</reasoning>${skarv}`, manifest, skarv, "reasoning"],
    [`<think>I could write \`<think>\` here.</think>${skarv}`, manifest, skarv, "reasoning"],
    [`<think>${tern}</think>${skarv}`, manifest, skarv, "reasoning"],
    [`maybe ${tern} no {"x": \n</THINK>\n${skarv}`, manifest, skarv, "reasoning"],
    [`${skarv}<reasoning>or ${tern}`, manifest, skarv, "reasoning"],
    ['<think>x</think>"see [1]"', string, '"see [1]"', "reasoning"],
  ],
  "takes tags inside strings for data": [
    ['{"note":"<think>hm</think>"}', note, '{"note":"<think>hm</think>"}'],
    ['Sure: {note:"a </think> b"}', note, '{"note":"a </think> b"}', "unquoted_keys", "surrounding_text"],
  ],
  "repairs notation": [
    [
      "{'a': 1, b: None,}",
      pair,
      '{"a":1,"b":null}',
      "single_quotes",
      "unquoted_keys",
      "python_literals",
      "trailing_comma",
    ],
    ['{“a”: +1, "b": .50}', pair, '{"a":1,"b":0.50}', "typographic_quotes", "number_notation"],
    ['{"a":1\n"b":2}', pair, '{"a":1,"b":2}', "missing_comma"],
    ['{"a":1, // one\n/* two */ "b":2 # three\n}', pair, '{"a":1,"b":2}', "comments"],
    ['{"note":"a\n\tb"}', note, '{"note":"a\\n\\tb"}', "control_characters"],
    ['{"note":"it\\\'s"}', note, '{"note":"it\'s"}', "escaped_apostrophe"],
    [`\ufeff${skarv}\u200b`, manifest, skarv, "invisible_characters"],
    [`${skarv}}`, manifest, skarv, "stray_bracket"],
    [skarv.replaceAll('"', '\\"'), manifest, skarv, "escaped_quotes"],
    [JSON.stringify(skarv), manifest, skarv, "double_encoding"],
  ],
  "keeps digits as they were": [
    ['{"n": 12345678901234567890}', integer, '{"n": 12345678901234567890}'],
    ["{n: 9007199254740993}", integer, '{"n":9007199254740993}', "unquoted_keys"],
    ['{"n": 1.00}', integer, '{"n": 1.00}'],
    ['{"n": 1.2e3}', integer, '{"n": 1.2e3}'],
    ["119.12", number, "119.12"],
    ["-0.00000000000000000000", number, "-0.00000000000000000000"],
    ["6.02214076e+23", schema({ type: "integer" }), "6.02214076e+23"],
    ["0.30000000000000004", number, "0.30000000000000004"],
    ["0.12345678901234566", number, "0.12345678901234566"],
    ["3.14159265358979323846", number, "3.14159265358979323846"],
    ['{"n": 123456789.123456789123}', schema({}), '{"n": 123456789.123456789123}'],
    ["0.10000000000000000000000", number, "0.10000000000000000000000"],
    ["[1e-5, 2]", schema({ type: "array" }), "[1e-5, 2]"],
  ],
};

type Rejected = readonly [answer: string, schema: ReturnType<typeof schema>];

const rejected: Readonly<Record<string, readonly Rejected[]>> = {
  "two different values that fit": [
    [`${skarv}\n${tern}`, manifest],
    [`\`\`\`json\n${skarv}\n\`\`\`\nor\n\`\`\`json\n${tern}\n\`\`\``, manifest],
  ],
  "values inside other values, wrappers and broken ones": [
    [`{"result": ${skarv}}`, manifest],
    [`"result": ${skarv}`, manifest],
    [`[${skarv}]`, manifest],
    [`[${skarv}, oops]`, manifest],
    [`{${skarv}}`, manifest],
    [`{the answer ${skarv}}`, manifest],
    [`Example: ${tern}\nAnswer: {"vessel":"Skarv","berth":4 m}`, manifest],
  ],
  "values beside what looks like more of them": [
    [`${skarv}, "name": "x"}`, manifest],
    [`${skarv} "name": "x"`, manifest],
    [`${skarv},`, manifest],
    [`${skarv}}}`, manifest],
    [`${skarv}, ...`, manifest],
    ["[1, 2][0]", list],
    ["[0] * 3", list],
  ],
  "values behind reasoning of which the end cannot be told": [
    [`<think>a <think>b</think> maybe ${tern}`, manifest],
    [`<think>x <thinking>y</think> draft ${tern}`, manifest],
    [`<think><think>x</think>${skarv}`, manifest],
    [`<think>\nThe user wants <think> tags.\n</think>\n${skarv}`, manifest],
    [`${skarv} <think>a <think>b</think> ${tern}`, manifest],
    [`maybe {"vessel": <think>x <think>y</think> ${tern}`, manifest],
  ],
  "values behind the items of a list or object that lost its head": [
    ['"x", {"n":1}]', integer],
    ['"x", {"n":1}', integer],
    ['“x”, {"n":1}', integer],
    ['"b", "a", {"n":1}]', integer],
    ['null,\n{"n":1}]', integer],
    ['1, {"n":1}', integer],
    ['1\n, {"n":1}', integer],
    ['..., {"n":1}]', integer],
    ['…, {"n":1}]', integer],
    [': {"n":1}}', integer],
    [', {"n":1}', integer],
    ['7: {"n":1}}', integer],
    ['```json\n"x", {"n":1}]\n```', integer],
    ["1, [2,3]]", list],
    ["1, 2, [3]", list],
    ['"a", [2,3]]', list],
  ],
  "operands of expressions and items of tuples": [
    ['{"n":1} | {"b":2}', integer],
    ['{"n":1}\n| {"b":2}', integer],
    ['{"n":1} + {"b":2}', integer],
    ['{"n":1} || {}', integer],
    ['{"n":1} ?? x', integer],
    ['{"n":1}["n"]', integer],
    ['{"n":1}["b", "c"]', integer],
    ['{"n":1}[0]', integer],
    ['{"n":1}[0]', list],
    ['({"n":1},)', integer],
    ['(1, {"n":1})', integer],
    [`${skarv} | {"delayed": True}`, manifest],
  ],
  "a scalar in a fence with another one outside": [
    ["```\n4\n```\n5", number],
    ['Not\n```\n"a"\n```\nbut "b"', string],
    ["Not false but\n```\ntrue\n```", schema({ type: "boolean" })],
  ],
  "comments that touch a value and could be more than a remark": [
    ['{"n":5#1\n}', integer],
    ['{"n":7/*2*/}', integer],
    ['{"n":7//-2\n}', integer],
    ['{"n":1,#m: 2\n}', integer],
    ['["a"#urgent, "b"\n]', schema({})],
    ['["a",#urgent\n]', schema({})],
  ],
  "what was cut": [
    ['{"vessel":"Skarv","berth":4', manifest],
    [`${skarv}\n{"vessel":"Te`, manifest],
    ['{"note":"see }', note],
    ["[1, 2", list],
    [`<think>${skarv}`, manifest],
    ['{"a":1, "b":2 # all }', pair],
  ],
  "values that were left out": [
    ["[1, 2, ...]", list],
    ["[1, 2, // and so on\n]", list],
    ["[1,,2]", list],
    ["[,1]", list],
  ],
  "a value before one of the same kind that does not fit": [
    [`The form is ${tern} and the value is {"vessel":"Skarv","berth":"4"}`, manifest],
    [`${skarv} {"vessel":null}`, manifest],
    ['[1, 2] and ["x"]', list],
  ],
  "strings that end with another quote than they begin with": [
    ['{"a": “1", "b": "2”}', schema({})],
    [`{'a': 'x", "b": "y'}`, schema({})],
    [`{'a": 1, "b': 2}`, schema({})],
  ],
  "comments that hold another value": [
    ['{"a":7 // 2\n,"b":1}', pair],
    ['{"a":7 /* or 8 */,"b":1}', pair],
    ['{"a":5, // or 6\n"b":1}', pair],
    ['{"a":5, # 6\n"b":1}', pair],
    ['{"a":5, "b": "x" /* "y" */}', pair],
    ['{"a":5, "b": /* null */ "x"}', pair],
  ],
  "numbers that a double rounds to an integer": [
    ['{"n": 9007199254740992.5}', integer],
    ["3e-324", schema({ const: 5e-324 })],
    ['{"n": 4503599627370497.5}', integer],
    ['{"n": 1.0000000000000000001}', integer],
    ['{"n": 12345678901234567.8e1}', integer],
    ["0.1000000000000000000001", schema({ enum: [0.1] })],
    ["1.00000000000000000001", schema({ const: 1 })],
    ["1.00000000000000000001", schema({ enum: [1, 2] })],
    ["0.30000000000000000001", schema({ maximum: 0.3 })],
    ["0.30000000000000001", schema({ maximum: 0.3 })],
    ["0.29999999999999999", schema({ minimum: 0.3 })],
    ["-0.30000000000000001", schema({ minimum: -0.3 })],
    ["0.30000000000000001", schema({ const: 0.3 })],
    ["0.30000000000000001", schema({ multipleOf: 0.1 })],
  ],
  "scalars among words": [
    ["The answer is 42", number],
    ["hello", string],
  ],
  "what other languages write": [
    ['{"n": NaN}', integer],
    ['{"n": 0x10}', integer],
    ['{"n": 1_000}', integer],
    ['{"n": 007}', integer],
    ['{"n": 1,234}', integer],
    ['{"n": 7//2\n}', integer],
    ['{"n": undefined}', integer],
    ["{'note': 'it's'}", note],
    ['{"note": "a" + "b"}', note],
    ['{"note": unquoted}', note],
    ['{"note": `x`}', note],
    ['{"note": "C:\\data"}', note],
    ['{"note" => "x"}', note],
    ["note: x", note],
    ["[#urgent, #blue\n]", list],
  ],
  "keys and characters that readers disagree about": [
    ['{"n":1,"n":1}', integer],
    ['{"n":1,"\\u006e":2}', integer],
    ['{"n":1,"__proto__":{}}', integer],
    ['{"n":1,"\\u005f_proto__":{}}', integer],
    ['{"note":"\\ud83e"}', note],
    ['{"note":"a\u0000"}', note],
    ['{"n":1e400}', integer],
    ['{"n":1e-400}', integer],
  ],
  "values of another type": [
    ['{"n":"1"}', integer],
    ['{"n":1.5}', integer],
    ["1", list],
  ],
};

describe("the decisions about model answers", () => {
  for (const [name, cases] of Object.entries(accepted)) {
    it(name, () => {
      for (const [answer, wanted, text, ...repairs] of cases) {
        const parsed = parseAnswer({ text: answer, finish: "stop" }, { kind: "json", schema: wanted });
        assert.ok(parsed.ok, `${answer}: ${JSON.stringify(parsed)}`);
        assert.equal(parsed.text, text);
        for (const repair of repairs) assert.ok(parsed.repairs.includes(repair), `${answer}: ${parsed.repairs}`);
      }
    });
  }

  for (const [name, cases] of Object.entries(rejected)) {
    it(`rejects ${name}`, () => {
      for (const [answer, wanted] of cases) {
        const parsed = parseAnswer({ text: answer, finish: "stop" }, { kind: "json", schema: wanted });
        assert.ok(!parsed.ok, answer);
        assert.ok(parsed.violations.length >= 1 && parsed.violations.length <= 8);
        assert.equal(parsed.truncated, false);
      }
    });
  }

  it("reads keys with escapes as they are, whatever keys were read before", () => {
    const anything = schema({});
    const read = (text: string) => parseAnswer({ text, finish: "stop" }, { kind: "json", schema: anything });
    read('{"h": [], "\\\\": 0}');
    const text = '{"h": 1, "\\n": 2}';
    assert.deepEqual(read(text), { ok: true, text, repairs: [], value: { h: 1, "\n": 2 } });
  });

  it("checks both doubles around an integer that none holds", () => {
    const limited = schema({ type: "integer", maximum: 9007199254740992 });
    const odd = schema({ enum: [9007199254740992] });
    const even = schema({ type: "integer", multipleOf: 2 });
    for (const wanted of [limited, odd, even]) {
      const parsed = parseAnswer({ text: "9007199254740993", finish: "stop" }, { kind: "json", schema: wanted });
      assert.ok(!parsed.ok);
    }
  });
});
