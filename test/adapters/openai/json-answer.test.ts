import assert from "node:assert/strict";
import { readJsonAnswer } from "../../../src/adapters/openai/answer/json-answer.ts";
import type { AnswerContext } from "../../../src/adapters/openai/answer/summary.ts";
import { UpstreamError, type UpstreamErrorFields } from "../../../src/core/model.ts";
import { COUNTS, contextOf, kindOf, USAGE } from "./answer-context.ts";

function document(message: object, finish: string | null = "stop", more: object = {}): string {
  return JSON.stringify({
    model: "m-1",
    choices: [{ index: 0, message, finish_reason: finish }],
    usage: USAGE,
    ...more,
  });
}

const readDocument = (text: string, more: Partial<AnswerContext> = {}) => readJsonAnswer(text, contextOf(more));

describe("an answer as one JSON document", () => {
  it("is one delta and the end with usage and model", () => {
    assert.deepEqual(readDocument(`\ufeff\n${document({ content: "Hello" })}\n`), [
      { kind: "delta", text: "Hello" },
      { kind: "end", finish: "stop", usage: COUNTS, servedModel: "m-1" },
    ]);
  });

  it("takes text parts, and neither thinking parts nor reasoning_content", () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "no" }] },
      { type: "text", text: "a" },
      "b",
      { type: "output_text", text: "c" },
      { type: "image_url" },
    ];
    assert.deepEqual(readDocument(document({ content, reasoning_content: "no" }))[0], { kind: "delta", text: "abc" });
  });

  it("ends with length when it was cut, also when reasoning left no room for text", () => {
    assert.deepEqual(readDocument(document({ content: "a" }, "length")).at(-1), {
      kind: "end",
      finish: "length",
      usage: COUNTS,
      servedModel: "m-1",
    });
    assert.deepEqual(readDocument(document({ content: "" }, "length")), [
      { kind: "end", finish: "length", usage: COUNTS, servedModel: "m-1" },
    ]);
  });

  const failures: readonly [string, string, UpstreamErrorFields["kind"]][] = [
    ["no choices", JSON.stringify({ choices: [], usage: USAGE }), "empty_answer"],
    ["no choices field", "{}", "empty_answer"],
    ["null", "null", "empty_answer"],
    ["nothing", "", "empty_answer"],
    ["a page", "<html>hello</html>", "empty_answer"],
    ["no text", document({ content: null }), "empty_answer"],
    ["an object for content", document({ content: { a: 1 } }), "empty_answer"],
    ["a tool call", document({ content: null, tool_calls: [{}] }, "tool_calls"), "empty_answer"],
    ["cut JSON", document({ content: "abc" }).slice(0, 60), "stream_interrupted"],
    ["no finish reason", document({ content: "abc" }, null), "stream_interrupted"],
    ["half a character", document({ content: "abc" }).replace("abc", "\\ud83d"), "stream_interrupted"],
    ["a refusal", document({ content: null, refusal: "I cannot" }), "content_filtered_output"],
    ["a filtered answer", document({ content: "ab" }, "content_filter"), "content_filtered_output"],
    [
      "length without a single token",
      document({ content: "" }, "length", { usage: { prompt_tokens: 9, completion_tokens: 0 } }),
      "context_overflow",
    ],
    ["an error", JSON.stringify({ error: { message: "x" } }), "overloaded"],
    ["an error in a list", JSON.stringify([{ error: { message: "x" } }]), "overloaded"],
    ["a flat error", JSON.stringify({ object: "error", message: "x" }), "overloaded"],
    ["a finish reason of its own", document({ content: "a" }, "because"), "unknown"],
  ];
  for (const [name, text, kind] of failures) {
    it(`fails as ${kind} for ${name}`, () =>
      assert.equal(
        kindOf(() => readDocument(text)),
        kind,
      ));
  }

  it("keeps the usage of an answer that is none, and names the filter", () => {
    const choices = [
      {
        message: { content: "" },
        finish_reason: "content_filter",
        content_filter_results: { hate: { filtered: false }, violence: { filtered: true } },
      },
    ];
    assert.throws(
      () => readDocument(JSON.stringify({ choices, usage: USAGE })),
      (error) =>
        error instanceof UpstreamError &&
        error.fields.category === "violence" &&
        error.fields.usage?.promptTokens === 10,
    );
  });

  it("says when the provider's filter was down", () => {
    let count = 0;
    const choices = [
      {
        message: { content: "a" },
        finish_reason: "stop",
        content_filter_results: { error: { code: "content_filter_error" } },
      },
    ];
    readDocument(JSON.stringify({ choices }), { onUnfiltered: () => count++ });
    assert.equal(count, 1);
  });
});
