import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { LoadedPrompt, PromptLibrary } from "../../src/core/prompt.ts";
import { draftRequest } from "../../src/pipeline/build-context/draft.ts";
import { validate } from "../../src/pipeline/validate.ts";
import { checkCompiler, jsonSchemas, noPrompts } from "../support/pipeline-ports.ts";

type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

const ports = { schemas: jsonSchemas, checks: checkCompiler };
const messages = [{ role: Role.USER, content: [{ content: { case: "text" as const, value: "question" } }] }];
const schema = '{"type":"object","properties":{"n":{"type":"number"}},"additionalProperties":false}';
const json = (...rules: string[]) => ({
  format: { case: "json" as const, value: { schema, checks: rules.map((rule) => ({ rule, message: "m" })) } },
});
const text = (...rules: string[]) => ({
  format: { case: "text" as const, value: { checks: rules.map((rule) => ({ rule, message: "m" })) } },
});

function violations(input: Init): readonly string[] {
  try {
    validate(ports, create(CompletionInputSchema, input));
  } catch (error) {
    assert.ok(error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST", String(error));
    return error.failure.violations.map(({ field, rule, description }) => `${field}: ${rule}: ${description}`);
  }
  return [];
}

const prompted: LoadedPrompt = {
  name: "p",
  version: "v1",
  contentHash: "0".repeat(64),
  description: "",
  inputSchemaText: "{}",
  outputChecks: checkCompiler.compile([{ rule: "output != ''", message: "of the prompt" }], {}),
  source: "",
  usesContext: false,
  render: () => [{ role: "user", text: "question" }],
};
const prompts: PromptLibrary = { ...noPrompts, get: () => prompted };

/** The messages of the checks that a request ends up with. */
function checksOf(input: Init): readonly string[] {
  const valid = validate(ports, create(CompletionInputSchema, input));
  return draftRequest({ ...ports, prompts }, valid).output.checks.sources.map(({ message }) => message);
}

describe("the checks of a request", () => {
  it("are refused by path and rule, with the place in the rule", () => {
    assert.deepEqual(violations({ messages, output: json("output.n > 0", "output.m > 0") }), [
      "input.output.json.checks[1].rule: cel_unknown_field: line 1, column 7: the schema has no m here (the nearest is n)",
    ]);
    assert.deepEqual(violations({ messages, output: text("output.n > 0") }), [
      "input.output.text.checks[0].rule: cel_type: line 1, column 7: a text has no member n",
    ]);
    const past = violations({ messages, output: json("x".repeat(2049)) });
    assert.match(past.join(), /^input\.output\.json\.checks\[0\]\.rule: string\.max_bytes: /);
  });

  it("know that messages come without variables, and leave those of prompts open", () => {
    const output = text("input.topic != output");
    assert.match(
      violations({ messages, output }).join(),
      /cel_unknown_field: .*no input\.topic: messages have no variables/,
    );
    assert.deepEqual(violations({ prompt: { name: "p" }, output }), []);
  });

  it("stand in place of the prompt's, and so does an output without any", () => {
    const prompt = { name: "p" };
    assert.deepEqual(checksOf({ prompt }), ["of the prompt"]);
    assert.deepEqual(checksOf({ prompt, output: text("output != 'a'", "output != 'b'") }), ["m", "m"]);
    assert.deepEqual(checksOf({ prompt, output: text() }), []);
    assert.deepEqual(checksOf({ prompt, output: json("output.n > 0") }), ["m"]);
    assert.deepEqual(checksOf({ messages }), []);
  });
});
