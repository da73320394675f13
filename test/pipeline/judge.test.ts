import assert from "node:assert/strict";
import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { NO_CHECKS } from "../../src/core/semantic-check.ts";
import { shownExampleOf } from "../../src/pipeline/build-context/parts.ts";
import { judge } from "../../src/pipeline/judge.ts";

const schemaText = JSON.stringify({
  type: "object",
  properties: { vessel: { type: "string" }, berth: { type: "integer" } },
  required: ["vessel", "berth"],
});
const schema = createJsonSchemas().compile(schemaText);
const wanted = { kind: "json", schema, exampleText: "", checks: NO_CHECKS } as const;
const sent = (mode: "prompt" | "json_object" | "json_schema") => ({ kind: "json", mode, schemaText }) as const;
const facts = { input: {}, said: [], chunks: [] };

describe("an answer that repeats the example of the instructions", () => {
  const example = shownExampleOf(wanted, sent("prompt"));
  const judged = (text: string, shown: string) => judge({ text, finish: "stop" }, wanted, facts, shown).kind;

  it("is malformed between words, whether an attempt at the answer follows or none", () => {
    assert.equal(judged(`The form is ${example}, but I know no vessel.`, example), "malformed");
    assert.equal(
      judged(`The form is ${example} and the value is {"vessel":"Skarv","berth":"4"}`, example),
      "malformed",
    );
  });

  it("is good where nothing else was said, or where no example was shown", () => {
    assert.equal(judged(example, example), "good");
    const shown = shownExampleOf(wanted, sent("json_schema"));
    assert.equal(shown, "");
    assert.equal(judged(`It is ${example}.`, shown), "good");
  });

  it("is measured by the example of the prompt where it has one", () => {
    const own = '{"vessel":"Tern","berth":9}';
    assert.equal(shownExampleOf({ ...wanted, exampleText: own }, sent("json_object")), own);
    assert.equal(shownExampleOf({ kind: "text", checks: NO_CHECKS }, { kind: "text" }), "");
  });
});
