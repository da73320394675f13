import assert from "node:assert/strict";
import { compiler, verdict } from "./support.ts";

const TOO_MUCH = "the rule costs too much on this answer";
const count = (length: number) => Array.from({ length }, (_, index) => index);
const letters = "a".repeat(1_000_000);
const sixty = count(60);

describe("a rule that costs too much is broken, and says so", () => {
  const cases: readonly (readonly [rule: string, output: unknown])[] = [
    ["output.all(a, output.all(b, output.all(c, a + b + c >= 0.0)))", sixty],
    ["output.map(a, output.map(b, a)).size() > 0", count(5000)],
    ["output.all(a, output == output)", count(5000)],
    ["output.all(a, a in output)", count(5000)],
    ["output.x.all(a, output.t.size() > 0)", { x: sixty, t: letters }],
    ["output.x.all(a, output.t == output.u || true)", { x: sixty, t: letters, u: `${letters.slice(1)}b` }],
    ["output.x.all(a, output.t.matches('(x+x+)+y$') || true)", { x: sixty, t: letters }],
    [
      "output.x.all(a, output.p.exists(p, output.t.matches(p)))",
      { x: sixty, t: "", p: count(3000).map((n) => `a{900}${n}`) },
    ],
    ["output.x.all(a, output.t.contains(output.u) || true)", { x: sixty, t: letters, u: `${letters.slice(1)}b` }],
    ["output.x.all(a, string(bytes(output.t)) == output.t)", { x: sixty, t: letters }],
    ["output.x.all(a, sum(output.y) == 1 || true)", { x: sixty, y: count(1000).map((n) => 10 ** ((n % 600) - 300)) }],
    ["output.exists(a, output.exists(b, 1 / 0 == 1)) || true", count(5000)],
  ];
  for (const [rule, output] of cases) it(rule, () => assert.equal(verdict(rule, { output }), TOO_MUCH));

  it("whatever is too large to be converted, or to be searched", () => {
    const lists = Array.from({ length: 60_000 }, () => []);
    assert.match(verdict("output.size() > 0", { output: lists }), /more than 50000 values/);
    assert.equal(verdict("input.size() == 0", { output: lists }), "holds", "what a rule does not name costs nothing");
    const chunks = [{ id: "a", text: letters }];
    assert.match(verdict("quoted('a')", { chunks, input: "one more" }), /at most 500000 characters/);
    assert.match(verdict("[1, 2].all(x, quoted('a') || false)", { chunks, input: "one more" }), /at most 500000 char/);
    const accents = `a${"\u0301\u0316".repeat(100_000)}`;
    assert.equal(verdict("quoted(output)", { output: accents, input: accents }), "holds");
    assert.match(verdict("(output + output + output) != ''", { output: letters }), /the text is too long/);
    assert.match(verdict("int(output) == 1", { output: "9".repeat(1_000_000) }), /the text is too long/);
  });
});

describe("what answers need is well within the budget", () => {
  it("sums over five hundred lines, quotes in half a megabyte, sixteen checks at once", () => {
    const lines = count(500).map((n) => ({ amount: n / 100, text: "ab" }));
    const chunks = [{ id: "c", text: `${"lorem ipsum ".repeat(40_000)}the end` }];
    const rules = [
      "approx(sum(output.lines.map(l, l.amount)), 1247.5)",
      "quoted(['lorem ipsum', 'the end'])",
      ...count(14).map((n) => `output.lines.all(l, l.amount >= 0 && l.text != '${n}')`),
    ];
    const checks = compiler.compile(
      rules.map((rule) => ({ rule, message: "m" })),
      { schemaText: "{}" },
    );
    assert.deepEqual(checks.evaluate({ output: { lines }, input: {}, said: [], chunks }), []);
  });

  it("all pairs of a hundred", () => {
    const rule = "output.all(a, output.filter(b, b.name == a.name).size() == 1)";
    const output = count(100).map((n) => ({ name: `name ${n}` }));
    assert.equal(verdict(rule, { output }), "holds");
    assert.equal(verdict(rule, { output: [...output.slice(1), output[1]] }), "broken");
  });

  it("one expensive check does not break those after it", () => {
    const rules = ["output.all(a, output.all(b, a == b || true))", "output.size() == 2000"];
    const checks = compiler.compile(
      rules.map((rule) => ({ rule, message: "m" })),
      { schemaText: "{}" },
    );
    const broken = checks.evaluate({ output: count(2000), input: {}, said: [], chunks: [] });
    assert.deepEqual(
      broken.map(({ rule }) => rule),
      [rules[0]],
    );
  });

  it("lists made by map and filter are their own at every use", () => {
    const rule =
      "output.map(a, output.filter(b, b > a)) == [[2, 3], [3], []] && output.map(a, [a] + [a]) == [[1, 1], [2, 2], [3, 3]]";
    assert.equal(verdict(rule, { output: [1, 2, 3] }), "holds");
    assert.equal(verdict(rule, { output: [1, 2, 3] }), "holds", "and a second time");
  });
});

describe("compiled checks", () => {
  it("are kept, and shared only between checks and schemas that agree in everything", () => {
    const sources = [{ rule: "output.a == 1", message: "m" }];
    const first = compiler.compile(sources, { schemaText: '{"type":"object"}' });
    assert.equal(compiler.compile([...sources], { schemaText: '{"type":"object"}' }), first);
    assert.notEqual(
      compiler.compile([{ rule: "output.a == 1", message: "n" }], { schemaText: '{"type":"object"}' }),
      first,
    );
    assert.notEqual(compiler.compile(sources, { schemaText: "{}" }), first);
    assert.deepEqual(first.sources, sources);
    assert.deepEqual(compiler.compile([], {}).evaluate({ output: 1, input: {}, said: [], chunks: [] }), []);
  });

  it("report the broken ones in their order, with their messages", () => {
    const sources = ["output > 1", "output > 0", "output > 2"].map((rule, n) => ({ rule, message: `m${n}` }));
    const checks = compiler.compile(sources, { schemaText: '{"type":"number"}' });
    assert.deepEqual(checks.evaluate({ output: 1, input: {}, said: [], chunks: [] }), [sources[0], sources[2]]);
    assert.deepEqual(checks.evaluate({ output: 3, input: {}, said: [], chunks: [] }), []);
  });
});
