import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema, Overflow } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { ModelTarget } from "../../src/core/model.ts";
import { draftRequest } from "../../src/pipeline/build-context/draft.ts";
import { type FitLimits, fitToModel } from "../../src/pipeline/build-context/fit.ts";
import { validate } from "../../src/pipeline/validate.ts";
import { target } from "../support/models.ts";
import { builtinPrompts, checkCompiler, jsonSchemas, noPrompts, wordCounter } from "../support/pipeline-ports.ts";

const ports = {
  counter: wordCounter,
  builtins: builtinPrompts,
  schemas: jsonSchemas,
  checks: checkCompiler,
  prompts: noPrompts,
};
const words = (count: number, word = "w") => Array.from({ length: count }, () => word).join(" ");
const say = (role: Role, text: string) => ({ role, content: [{ content: { case: "text" as const, value: text } }] });

type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

function fit(input: Init, model: Partial<ModelTarget> = {}, limits: FitLimits = {}) {
  const draft = draftRequest(ports, validate(ports, create(CompletionInputSchema, input)));
  return fitToModel(ports, draft, target(model), limits);
}

function overflowOf(attempt: () => unknown) {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof SluiceError && error.failure.reason === "CONTEXT_OVERFLOW");
    return error.failure;
  }
  return assert.fail("it fitted");
}

const chunk = (id: string, count: number, score?: number) => ({ id, text: words(count), score });

describe("fitting a prompt to a window", () => {
  it("drops nothing that fits", () => {
    const fitted = fit({ messages: [say(Role.USER, words(10))], context: { chunks: [chunk("a", 10)] } });
    assert.equal(fitted.dropped, undefined);
    assert.deepEqual(
      fitted.chunks.map((c) => c.id),
      ["a"],
    );
    assert.equal(
      fitted.budget.promptTokens + 0,
      fitted.budget.systemTokens + fitted.budget.contextTokens + fitted.budget.conversationTokens,
    );
  });

  it("drops chunks with the lowest score first, and those without a score before them, the later one first", () => {
    const chunks = [chunk("none-1", 200), chunk("high", 200, 0.9), chunk("low", 200, 0.1), chunk("none-2", 200)];
    const fitted = fit({ messages: [say(Role.USER, "q")], context: { chunks } }, { contextTokens: 400 });
    assert.deepEqual(fitted.dropped?.chunkIds, ["none-2", "none-1", "low"]);
    assert.deepEqual(
      fitted.chunks.map((c) => c.id),
      ["high"],
    );
    assert.ok(fitted.dropped && fitted.dropped.tokensBefore > 800 && fitted.dropped.tokensAfter <= 300);
  });

  it("then drops the oldest turns, a question together with its answer, and keeps system and instruction", () => {
    const messages = [
      say(Role.SYSTEM, "be brief"),
      say(Role.USER, words(150, "old")),
      say(Role.ASSISTANT, words(150, "answer")),
      say(Role.USER, words(50, "newer")),
      say(Role.ASSISTANT, words(50, "reply")),
      say(Role.USER, "the question"),
    ];
    const fitted = fit({ messages }, { contextTokens: 300 });
    assert.equal(fitted.dropped?.turns, 2);
    assert.deepEqual(
      fitted.messages.map((m) => m.text.split(" ")[0]),
      ["be", "newer", "reply", "the"],
    );
  });

  it("fails where what may not be dropped is too large, and says which part is the largest", () => {
    const failure = overflowOf(() => fit({ messages: [say(Role.SYSTEM, words(700)), say(Role.USER, words(300))] }));
    assert.equal(failure.largestPart, "system");
    assert.equal(failure.windowTokens, 1000);
    assert.equal(failure.reservedOutputTokens, 100);
    assert.equal(failure.reportedByProvider, false);
  });

  it("drops nothing where the caller forbids it", () => {
    const context = { chunks: [chunk("a", 2000)] };
    const messages = [say(Role.USER, "q")];
    assert.equal(fit({ messages, context }).chunks.length, 0);
    assert.equal(overflowOf(() => fit({ messages, context, overflow: Overflow.REJECT })).largestPart, "context");
  });

  it("fits exactly at the limit, and not one token past it", () => {
    const messages = [say(Role.USER, words(50))];
    const { promptTokens } = fit({ messages }).budget;
    const at = { contextTokens: promptTokens + 100 };
    assert.equal(fit({ messages }, at).dropped, undefined);
    overflowOf(() => fit({ messages }, { contextTokens: at.contextTokens - 1 }));
  });

  it("reserves what was asked for, within the model's limit", () => {
    const messages = [say(Role.USER, "q")];
    assert.equal(fit({ messages }).sampling.maxOutputTokens, 100);
    assert.equal(fit({ messages, generation: { maxOutputTokens: 50 } }).sampling.maxOutputTokens, 50);
    assert.equal(fit({ messages, generation: { maxOutputTokens: 5000 } }).sampling.maxOutputTokens, 400);
    assert.equal(fit({ messages }, {}, { maxOutputTokens: 7 }).sampling.maxOutputTokens, 7);
  });

  it("asks for JSON in words where the model has no native mode, and counts the schema either way", () => {
    const input: Init = {
      messages: [say(Role.USER, "q")],
      output: { format: { case: "json", value: { schema: '{"type": "object"}' } } },
    };
    const native = fit(input);
    assert.equal(native.messages.length, 1);
    assert.ok(native.budget.schemaTokens > 0);
    for (const inWords of [fit(input, { structuredOutput: "prompt" }), fit(input, {}, { withoutJsonMode: true })]) {
      assert.ok(inWords.messages.some((m) => m.role === "system" && m.text.includes('{"type": "object"}')));
      assert.deepEqual(inWords.output, { kind: "json", mode: "prompt", schemaText: '{"type": "object"}' });
      assert.ok(inWords.budget.schemaTokens > native.budget.schemaTokens);
    }
  });

  it("shows context in a block before the instruction where messages have no place for it", () => {
    const fitted = fit({
      messages: [say(Role.USER, "earlier"), say(Role.ASSISTANT, "reply"), say(Role.USER, "question")],
      context: { chunks: [{ id: "doc-1", text: "the tide table" }] },
    });
    const at = fitted.messages.findIndex((m) => m.text.includes("the tide table") && m.text.includes("doc-1"));
    assert.equal(at, 2);
    assert.equal(fitted.messages[3]?.text, "question");
  });
});
