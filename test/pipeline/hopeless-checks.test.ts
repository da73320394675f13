import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { LoadedPrompt } from "../../src/core/prompt.ts";
import { buildContext } from "../../src/pipeline/build-context.ts";
import { validate } from "../../src/pipeline/validate.ts";
import { catalog, target } from "../support/models.ts";
import { builtinPrompts, checkCompiler, jsonSchemas, noPrompts, wordCounter } from "../support/pipeline-ports.ts";

type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

const rule = "output.size() > 1 && cited('c1')";
const prompted: LoadedPrompt = {
  name: "p",
  version: "v1",
  contentHash: "0".repeat(64),
  description: "",
  inputSchemaText: "{}",
  outputChecks: checkCompiler.compile([{ rule, message: "m" }], {}),
  source: "",
  usesContext: false,
  render: () => [{ role: "user", text: "question" }],
};
const messages = [{ role: Role.USER, content: [{ content: { case: "text" as const, value: "question" } }] }];
const text = (...rules: string[]) => ({
  format: { case: "text" as const, value: { checks: rules.map((rule) => ({ rule, message: "m" })) } },
});

/** `field: rule: description` of what is wrong with the request, or nothing. */
function violations(input: Init, contextTokens = 100_000): readonly string[] {
  const models = catalog(target({ contextTokens }));
  const prompts = { ...noPrompts, get: () => prompted };
  const ports = { counter: wordCounter, builtins: builtinPrompts, schemas: jsonSchemas, prompts, models };
  try {
    buildContext(
      ports,
      validate({ schemas: jsonSchemas, checks: checkCompiler }, create(CompletionInputSchema, input)),
    );
  } catch (error) {
    assert.ok(error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST", String(error));
    return error.failure.violations.map(
      (violation) => `${violation.field}: ${violation.rule}: ${violation.description}`,
    );
  }
  return [];
}

describe("checks that no answer could keep", () => {
  const nothing = "there is nothing to cite: the request has no context";

  it("are refused by path before a model is asked", () => {
    const chunks = ["a", "b"].map((id) => ({ id, text: "a".repeat(250_000) }));
    const output = text("output.size() > 1", "quoted(output)");
    assert.deepEqual(violations({ messages, output, context: { chunks } }), [
      "input.output.text.checks[1].rule: cel_cost: quotes are looked for in at most 500000 characters of chunks and input",
    ]);
    assert.deepEqual(violations({ messages, output }), []);
    assert.deepEqual(violations({ messages, output: text(rule) }), [
      `input.output.text.checks[0].rule: cel_never: ${nothing}`,
    ]);
  });

  it("are blamed on the prompt where they are the prompt's", () => {
    const prompt = { name: "p", version: "v1" };
    assert.deepEqual(violations({ prompt }), [
      `input.prompt: cel_never: the prompt's check ${JSON.stringify(rule)}: ${nothing}`,
    ]);
    assert.deepEqual(violations({ prompt, output: text() }), []);
  });

  it("are told by the chunks that fit", () => {
    const chunks = [{ id: "c1", text: "word ".repeat(3000) }];
    const input = { messages, output: text(rule), context: { chunks } };
    assert.deepEqual(violations(input), []);
    assert.equal(violations(input, 2000).length, 1);
  });
});
