import assert from "node:assert/strict";
import { refusal, takes } from "./support.ts";

const invoice = {
  type: "object",
  properties: {
    total: { type: "number" },
    due: { type: ["string", "null"] },
    note: { type: "string" },
    kind: { enum: ["a", "b"] },
    size: { enum: [1, 2, 3] },
    fixed: { const: "sale" },
    nothing: { type: "null" },
    lines: { type: "array", items: { $ref: "#/$defs/line" } },
    tags: { type: "array", items: { type: "string" } },
    free: {},
    either: { oneOf: [{ type: "string" }, { type: "object", properties: { id: { type: "string" } } }] },
    byName: { type: "object", additionalProperties: { type: "number" } },
  },
  required: ["total"],
  additionalProperties: false,
  $defs: {
    line: {
      type: "object",
      properties: { amount: { type: "number" }, parts: { type: "array", items: { $ref: "#/$defs/line" } } },
      additionalProperties: false,
    },
  },
};

describe("a rule is refused when it is loaded", () => {
  const cases: Readonly<Record<string, string>> = {
    "output.total +": 'cel_syntax: line 1, column 15: the rule ends after "+", expected a value',
    "true &&\n  (output.total == ": 'cel_syntax: line 2, column 19: the rule ends after "==", expected a value',
    "totl == 1": "cel_unknown_name: line 1, column 1: there is no totl; a rule sees output, input and chunks",
    "output.totl == 1": "cel_unknown_field: line 1, column 7: the schema has no totl here (the nearest is total)",
    "'é😀' != '' &&\n  output.totl == 1":
      "cel_unknown_field: line 2, column 9: the schema has no totl here (the nearest is total)",
    "output['totl'] == 1": "cel_unknown_field: line 1, column 7: the schema has no totl here (the nearest is total)",
    "has(output.totl)": "cel_unknown_field: line 1, column 1: the schema has no totl here (the nearest is total)",
    "output.lines.all(l, l.amount > 0 && l.price > 0)":
      "cel_unknown_field: line 1, column 38: the schema has no price here (the nearest is parts)",
    "output.lines[0].parts[0].parts.exists(p, p.price > 0)":
      "cel_unknown_field: line 1, column 43: the schema has no price here (the nearest is parts)",
    "output.either.ib == ''":
      "cel_unknown_field: line 1, column 14: the schema has no ib here (the nearest is id); declare it, or say additionalProperties: true",
    "chunks[0].score > 0": "cel_unknown_field: line 1, column 10: the schema has no score here (the nearest is id)",
    "average(output.tags) > 1":
      "cel_unknown_function: line 1, column 1: there is no function average; the nearest is approx",
    "output.total": "cel_type: line 1, column 7: what the rule yields must be a bool, and this is a number",
    "output.total == '7'": "cel_type: line 1, column 14: a number never equals a text",
    "output.kind == 1": "cel_type: line 1, column 13: a text never equals an int",
    "output.total + output.note == ''": "cel_type: line 1, column 14: + does not take a number and a text",
    "output.total.amount > 1": "cel_type: line 1, column 13: a number has no member amount",
    "output.total && true": "cel_type: line 1, column 7: each side of && must be a bool, and this is a number",
    "output.total ? true : false":
      "cel_type: line 1, column 7: the condition before ? must be a bool, and this is a number",
    "output.total.all(t, true)": "cel_type: line 1, column 7: a number cannot be gone through; a list can",
    "output.tags.all(t, t > 1)": "cel_type: line 1, column 22: > does not take a text and an int",
    "output.tags.map(t, size(t)).exists(s, s == 'a')": "cel_type: line 1, column 41: an int never equals a text",
    "1 in output.tags": "cel_type: line 1, column 3: an int is never in a list of a text",
    "output.lines['a'].amount > 1": "cel_type: line 1, column 13: a list has no member a",
    "sum(output.tags) > 1": "cel_type: line 1, column 1: sum does not take a list of a text",
    "sum(output.lines) > 1": "cel_type: line 1, column 1: sum does not take a list of an object",
    "cited(output.total)": "cel_type: line 1, column 1: cited does not take a number",
    "output.note.matches('(')": "cel_pattern: line 1, column 21: the pattern is not valid RE2",
    "output.note.matches('(a{100}){10}')":
      "cel_cost: line 1, column 21: the rule's patterns may have 1000 parts, counts written out",
    "google.protobuf.Timestamp{} == null":
      "cel_unknown_name: line 1, column 1: there is no type google.protobuf.Timestamp",
    constructor: "cel_unknown_name: line 1, column 1: there is no constructor; a rule sees output, input and chunks",
    "output.constructor == null":
      "cel_unknown_field: line 1, column 7: the schema has no constructor here (the nearest is either)",
  };
  for (const [rule, expected] of Object.entries(cases)) {
    it(JSON.stringify(rule), () => assert.equal(refusal(rule, invoice), expected));
  }

  const never: Readonly<Record<string, string>> = {
    "output.kind == 'refund'": 'cel_type: line 1, column 13: "refund" is never "a" or "b"; the nearest is "a"',
    "output.kind != 'c'": 'cel_type: line 1, column 13: "c" is never "a" or "b"; the nearest is "a"',
    "output.kind in ['refund', 'bb']":
      'cel_type: line 1, column 13: "refund" or "bb" is never "a" or "b"; the nearest is "a"',
    "output.size == 4": "cel_type: line 1, column 13: 4 is never 1 or 2 or 3",
    "'refund' == output.fixed": 'cel_type: line 1, column 10: "refund" is never "sale"',
    "output.nothing == 'x'": "cel_type: line 1, column 16: null never equals a text",
    "output.due == 1": "cel_type: line 1, column 12: a text or null never equals an int",
    false: "cel_never: line 1, column 1: this is false on every answer",
    "output.total > 1 && (false || 'a' == 'b')": "cel_never: line 1, column 22: this is false on every answer",
    "1/0 == 1": "cel_never: line 1, column 2: int divide by zero, on every answer",
    "output.total > 1 && output.total / (1 - 1) > 1 / 0":
      "cel_never: line 1, column 48: int divide by zero, on every answer",
    "[][0] == 1": "cel_never: line 1, column 1: the list has no item at this place, on every answer",
    "{'a': 1}.b == 1": "cel_never: line 1, column 9: there is no b, on every answer",
    "{1: 2, 1: 3}.size() == 1": "cel_never: line 1, column 1: a key of the map stands twice, on every answer",
    "{'a': output.total, 'a': 2}.a == 2": "cel_never: line 1, column 1: a key of the map stands twice, on every answer",
    "timestamp('2024-02-30T00:00:00Z') > timestamp(0)":
      "cel_never: line 1, column 1: there is no such day, on every answer",
    "[1, 2].exists(n, n > 2) && cited('a')": "cel_never: line 1, column 7: this is false on every answer",
    "quotd(output.note)": "cel_unknown_function: line 1, column 1: there is no function quotd; the nearest is quoted",
    "has(output.lines[0])": "cel_unknown_function: line 1, column 1: has takes a member, such as has(output.note)",
    "output.note.len() > 1": "cel_unknown_function: line 1, column 12: there is no function len; the nearest is size",
    "total == 1":
      "cel_unknown_name: line 1, column 1: there is no total; a rule sees output, input and chunks: write output.total",
    "output.total == 1 and true": 'cel_syntax: line 1, column 19: met "and", expected "&&"',
    "not has(output.note)": 'cel_syntax: line 1, column 1: met "not", expected "!"',
    "output.note not in ['a']": 'cel_syntax: line 1, column 13: met "not", expected "!(... in ...)"',
    "output.total = 1": 'cel_syntax: line 1, column 14: met "=", expected "=="',
    "(output.total == 1": 'cel_syntax: line 1, column 19: the rule ends, expected ")"',
    "[output.total) == [1]": 'cel_syntax: line 1, column 14: met ")", expected "]"',
    "output.total == 1)": 'cel_syntax: line 1, column 18: met ")", which closes nothing',
    "output.note == 'x": "cel_syntax: line 1, column 16: the text that begins here has no end",
    "output.total 7": 'cel_syntax: line 1, column 14: met "7", expected an operator, such as &&',
    "output.total == // 7": 'cel_syntax: line 1, column 16: the rule ends after "==", expected a value',
    "// nothing": "cel_syntax: line 1, column 11: the rule ends where more is needed",
  };
  for (const [rule, expected] of Object.entries(never)) {
    it(JSON.stringify(rule), () => assert.equal(refusal(rule, invoice), expected));
  }

  it("with a variable that the prompt does not have", () => {
    const schema = { type: "object", properties: { text: { type: "string" } }, additionalProperties: false };
    assert.match(refusal("input.txt != ''", {}, schema), /^cel_unknown_field: .*no txt here/);
  });

  it("where the answer is text and it asks for members", () => {
    assert.match(refusal("output.total == 1"), /^cel_type: .*a text has no member total/);
  });

  it("for its size, its depth and its loops, before it can cost anything", () => {
    assert.match(refusal(`${"true && ".repeat(300)}true`, {}), /^cel_size: /);
    assert.match(refusal(`${"(".repeat(900)}true${")".repeat(900)}`, {}), /^cel_nesting: line 1, column 33: /);
    assert.match(refusal(`1${" + 1".repeat(100)} == 101`, {}), /^cel_nesting: .*64 levels/);
    const matches = (...patterns: string[]) => patterns.map((pattern) => `output.matches('${pattern}')`).join(" && ");
    takes(matches("^[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}$", "a{800}"), {});
    assert.match(refusal(matches("((a{99}b){9}c|d{5,200})x", "a"), {}), /^cel_cost: /);
    assert.match(refusal(matches("a{600}", "b{600}"), {}), /^cel_cost: /);
    const loops = (depth: number): string => (depth === 0 ? "true" : `output.all(x${depth}, ${loops(depth - 1)})`);
    takes(loops(3), {});
    assert.match(refusal(loops(4), {}), /^cel_cost: .*at most 3 loops/);
  });
});

describe("a rule is taken", () => {
  const rules = [
    "output.note == 'x'",
    "output.note == 'x' // which is what it is",
    "output.note // the note\n == 'x'",
    "output.kind == 'b' && output.kind in ['b', 'refund'] && output.kind == output.note",
    "output.kind == null || output.nothing == null || null in output.tags",
    "output.size == 2 && output.size == 2.0 && output.size in [2u, 9u]",
    "output.tags.all(t, output.kind == t) && ['a', 'x'].exists(k, output.kind == k)",
    "[1, 2].exists_one(n, n == 1) && 'é' != '' && true",
    "output.lines.all(l, false) || 1/0 == 1 || !(output.total > 1 && false)",
    "output.total > 1 ? true : false",
    "{'a': output.total, 'b': 2}.a == 2",
    "has(output.note) && output.note != ''",
    "output.due == null || output.due.size() > 3",
    "output.total == null",
    "output.due > 'a'",
    "output.free.anything.goes[0] == 1 && output.free",
    "output.either.size() > 1 || output.either.id == 'x'",
    "has(output.either.more)",
    "output.byName.anything > 1 && output.byName.all(k, output.byName[k] > 0)",
    "output.lines[0].parts[0].parts[0].amount > 0",
    "sum(output.lines.map(l, l.amount)) + 1 == output.total",
    "output.lines.filter(l, l.amount > 0).map(l, l.amount)[0] > 0",
    "[].size() == 0 && !(1 in [])",
    "{'a': 1}['a'] == 1 && ({'a': 1}.b == 1 || output.total == 1)",
    "type(output.total) == double",
    "(output.total > 1 ? output.note : output.total) == 'x'",
    "dyn(output.total) == 'x' || dyn(1) == 1",
    "output.tags.exists_one(t, t == 'a') && output.tags.map(t, t != '', t + '!').size() == 1",
    `(${"true && ".repeat(200)}true)`,
  ];
  for (const rule of rules) it(rule.slice(0, 80), () => takes(rule, invoice));

  it("in little time, however its lists contain each other", () => {
    const doubled = `output${".map(a, true ? (true ? a : [a, [a]]) : [a])".repeat(24)}${"[0]".repeat(12)}`;
    takes(`${doubled} == 1`, {});
    const fields = `output${".map(a, true ? (true ? a : 1) : (true ? a : 2))".repeat(24)}[0].x.x.x == 1`;
    takes(fields, {
      type: "array",
      items: { $ref: "#/$defs/x" },
      $defs: { x: { properties: { x: { $ref: "#/$defs/x" } } } },
    });
  });

  it("on schemas that say little, or lead back to themselves", () => {
    const loop = { $ref: "#/$defs/a", $defs: { a: { anyOf: [{ $ref: "#/$defs/a" }, { type: "object" }] } } };
    const patterns = {
      type: "object",
      properties: { a: {} },
      patternProperties: { "^x": {} },
      additionalProperties: false,
    };
    const several = { allOf: [{ properties: { a: { type: "string" } } }], properties: { b: {} }, type: "object" };
    for (const schema of [true, {}, { type: "object" }, loop, patterns, several]) takes("output.xyz == 1", schema);
  });
});
