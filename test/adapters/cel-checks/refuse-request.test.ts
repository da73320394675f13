import assert from "node:assert/strict";
import type { CheckFacts } from "../../../src/core/semantic-check.ts";
import { compiler } from "./support.ts";

const NOTHING = { input: {}, said: [], chunks: [] };
const COSTS = "cel_cost: quotes are looked for in at most 500000 characters of chunks and input";
const UNCITABLE = "cel_never: there is nothing to cite: the request has no context";
const UNQUOTABLE =
  "cel_never: there is nothing to quote: the request has no context, no variables and no messages with a text";

/** Why no answer could keep these rules: "cel_cost: …", with the number of the rule in front where it is not the first. */
function refused(facts: Partial<CheckFacts>, ...rules: readonly string[]): string | undefined {
  const checks = compiler.compile(
    rules.map((rule) => ({ rule, message: "m" })),
    { schemaText: "{}" },
  );
  const found = checks.refuse({ ...NOTHING, ...facts });
  if (!found) return undefined;
  assert.equal(found.rule, rules[found.index]);
  return `${found.index || ""}${found.code}: ${found.message}`;
}

describe("a request is refused before it is paid for", () => {
  it("where a rule searches more text than quotes are looked for in", () => {
    const long = "a".repeat(300_000);
    const facts = { chunks: [{ id: "c", text: long }], said: [long] };
    assert.equal(refused(facts, "quoted(output.q)"), COSTS);
    assert.equal(refused(facts, "output.size() > 1", "output.all(l, quoted(l))"), `1${COSTS}`);
    assert.equal(refused({ input: { a: [long, long] } }, "quoted(output.q)"), COSTS);
    assert.equal(refused(facts, "output.size() > 1 && cited(output.c) && output.note == 'quoted(x)'"), undefined);
    assert.equal(refused({ said: [long] }, "quoted(output.q)"), undefined);
  });

  it("where a rule names more values than are looked at", () => {
    const input = { list: Array.from({ length: 50_001 }, () => 1) };
    const message = "cel_cost: there are more than 50000 values to look at";
    assert.equal(refused({ input }, "input.list.size() == output.size()"), message);
    assert.equal(refused({ input }, "output.size() == 1"), undefined);
  });

  it("where a rule asks in any case for a citation or a quote, and there is nothing to find", () => {
    assert.equal(refused({}, "cited(output.source)"), undefined, "it may be an empty list");
    assert.equal(refused({}, "cited(string(output.source))"), UNCITABLE);
    assert.equal(refused({ said: ["hi"] }, "output.n > 1 && cited('c1')"), UNCITABLE);
    assert.equal(refused({ said: [" "] }, "quoted(output.a + 'x') && output.n > 1"), UNQUOTABLE);
    assert.equal(refused({}, "output.n > 1 ? cited('a') : quoted('b')"), UNQUOTABLE);
    assert.equal(refused({ said: ["hi"] }, "quoted('b')"), undefined);
    assert.equal(refused({ input: { text: "hi" } }, "quoted('b')"), undefined);
    assert.equal(refused({ chunks: [{ id: "c", text: "" }] }, "cited('c')"), undefined);
  });

  it("and not where some answer keeps the rule", () => {
    const rules = ["output.all(l, cited(l.id))", "cited([])", "!cited('a')", "output.n == 1 || quoted('a')", "true"];
    for (const rule of rules) assert.equal(refused({}, rule), undefined, rule);
  });
});
