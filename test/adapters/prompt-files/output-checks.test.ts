import assert from "node:assert/strict";
import { load, loadGood, promptText } from "./prompt-sources.ts";

const SCHEMA = `output:
  schema:
    type: object
    properties:
      total: { type: number }
      parts: { type: array, items: { type: number } }
    required: [total, parts]
    additionalProperties: false`;

const withChecks = (checks: string, schema = SCHEMA) =>
  promptText("text: { type: string }", "@user\n{{text}}", `${schema}\n  checks:\n${checks}`);

/** `line: rule: message` of each problem. */
function problems(text: string): readonly string[] {
  const result = load(text);
  return result.ok ? [] : result.problems.map(({ line, rule, message }) => `${line}: ${rule}: ${message}`);
}

describe("the checks of a prompt file", () => {
  it("are compiled with the prompt, against its schemas", () => {
    const { outputChecks } = loadGood(
      withChecks(`    - rule: approx(sum(output.parts), output.total)
      message: The parts do not add up.
    - { rule: "input.text != ''", message: There is no text. }`),
    );
    assert.ok(outputChecks);
    const facts = { input: { text: "" }, said: [], chunks: [] };
    assert.deepEqual(
      outputChecks.evaluate({ ...facts, output: { total: 0.3, parts: [0.1, 0.3] } }).map(({ message }) => message),
      ["The parts do not add up.", "There is no text."],
    );
    assert.deepEqual(
      outputChecks.evaluate({ input: { text: "a" }, said: [], chunks: [], output: { total: 0.3, parts: [0.1, 0.2] } }),
      [],
    );
  });

  it("may stand without a schema, where the answer is text", () => {
    const prompt = loadGood(withChecks("    - { rule: output.size() < 3, message: Too long. }", "output:"));
    assert.equal(prompt.outputSchemaText, undefined);
    assert.equal(prompt.outputChecks?.evaluate({ output: "four", input: {}, said: [], chunks: [] }).length, 1);
  });

  it("are none where none are declared", () => {
    assert.equal(loadGood(promptText("", "@user\nhi", SCHEMA)).outputChecks, undefined);
  });

  it("are refused one by one, each at its line", () => {
    const rules = `    - { rule: output.totl > 0, message: m }
    - { rule: output.total > 0, message: m }
    - message: m
      rule: "input.txt == ''"
    - { rule: "output.total >", message: m }`;
    assert.deepEqual(problems(withChecks(rules)), [
      "12: check: output.checks[0]: cel_unknown_field: line 1, column 7: the schema has no totl here (the nearest is total)",
      "15: check: output.checks[2]: cel_unknown_field: line 1, column 6: the schema has no txt here (the nearest is text)",
      '16: check: output.checks[3]: cel_syntax: line 1, column 15: the rule ends after ">", expected a value',
    ]);
  });

  it("must be rules with messages, within their limits", () => {
    const shape = "a check is a mapping with rule and message, both texts";
    const refused: Readonly<Record<string, string>> = {
      "    - output.total > 0": `12: check: ${shape}`,
      "    - { rule: output.total > 0 }": `12: check: ${shape}`,
      "    - { rule: true, message: m }": `12: check: ${shape}`,
      "    - { rule: 'true', message: m, level: 1 }": `12: check: ${shape}, and nothing else`,
      "    - { rule: ' ', message: m }": "12: check: a rule has 1 to 2048 bytes",
      [`    - { rule: 'true', message: ${"m".repeat(513)} }`]: "12: check: a message has 1 to 512 bytes",
      "    []": "12: check: output.checks must be a list of 1 to 16 checks",
      [Array.from({ length: 17 }, () => "    - { rule: 'true', message: m }").join("\n")]:
        "12: check: output.checks must be a list of 1 to 16 checks",
    };
    for (const [checks, expected] of Object.entries(refused))
      assert.deepEqual(problems(withChecks(checks)), [expected]);
  });

  it("are not blamed for a schema that cannot be used", () => {
    const rules = problems(
      withChecks("    - { rule: output.a == 1, message: m }", "output:\n  schema: { type: objekt }"),
    );
    assert.deepEqual(
      rules.map((problem) => problem.split(": ")[1]),
      ["invalid_schema"],
    );
  });
});
