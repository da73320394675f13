import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { compiler, verdict } from "./support.ts";

const docs = readFileSync(join(import.meta.dirname, "../../../docs/prompts.md"), "utf8");
const section = docs.slice(docs.indexOf("\n## Checks"), docs.indexOf("\n## Versions"));

describe("docs/prompts.md about checks", () => {
  it("shows checks that hold and break as it says", () => {
    const sources = parse(/```yaml checks\n([\s\S]*?)```/.exec(section)?.[1] ?? "");
    const checks = compiler.compile(sources, { schemaText: "{}" });
    const facts = { input: { document: "one lamp, two bulbs" }, said: [], chunks: [] };
    const line = (amount: number, source: string) => ({ amount, source });
    const good = {
      lines: [line(0.1, "one lamp"), line(0.2, "two  bulbs")],
      total: 0.3,
      due_date: null,
      date: "2025-01-02",
    };
    assert.deepEqual(checks.evaluate({ ...facts, output: good }), []);
    const bad = { ...good, lines: [line(0.4, "a chair")], due_date: "2025-01-01" };
    assert.deepEqual(checks.evaluate({ ...facts, output: bad }), sources);
  });

  it("says what holds of numbers", () => {
    const rows = [...section.matchAll(/^\| (`.*`) \| (hold|does not hold|broken) \|$/gm)];
    assert.equal(rows.length, 4);
    const output = { count: 7, net: 100.1, tax: 19.02, none: 0 };
    for (const [, rules = "", claim] of rows) {
      for (const [, rule = ""] of rules.matchAll(/`([^`]+)`/g)) {
        const wanted = { hold: /^holds$/, "does not hold": /^broken$/, broken: / by zero$/ }[claim ?? ""];
        assert.match(verdict(rule, { output }), wanted ?? /no claim/, rule);
      }
    }
  });

  it("names every rule by which a check is refused", () => {
    const named = [
      ...(docs
        .slice(docs.indexOf("| `check` |"))
        .split("\n", 1)[0]
        ?.matchAll(/`(cel_\w+)`/g) ?? []),
    ];
    const source = readFileSync(join(import.meta.dirname, "../../../src/core/semantic-check.ts"), "utf8");
    const known = [...source.matchAll(/"(cel_\w+)"/g)];
    assert.deepEqual(named.map(([, rule]) => rule).sort(), [...new Set(known.map(([, rule]) => rule))].sort());
  });
});
