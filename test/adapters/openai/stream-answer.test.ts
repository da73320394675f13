import assert from "node:assert/strict";
import { StreamAnswer } from "../../../src/adapters/openai/answer/stream-answer.ts";
import type { AnswerContext } from "../../../src/adapters/openai/answer/summary.ts";
import { WholeCharacters } from "../../../src/adapters/openai/answer/whole-characters.ts";
import { COUNTS, contextOf, kindOf, USAGE } from "./answer-context.ts";

function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  return JSON.stringify({ model: "m-1", choices: [{ index: 0, delta, finish_reason: finish }], ...more });
}

/** The text of a stream of these data lines, and its end. */
function stream(lines: readonly string[], more: Partial<AnswerContext> = {}) {
  const answer = new StreamAnswer(contextOf(more));
  const texts = lines.map((data) => answer.push({ name: "message", data })).filter((text) => text !== "");
  return { texts, end: answer.end() };
}

describe("an answer as a stream", () => {
  const done = "[DONE]";

  it("is its deltas, then the end with usage and model", () => {
    const lines = [
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "He" }),
      chunk({ content: "llo" }),
      chunk({}, "stop"),
      JSON.stringify({ choices: [], usage: USAGE }),
      done,
    ];
    assert.deepEqual(stream(lines), {
      texts: ["He", "llo"],
      end: { kind: "end", finish: "stop", usage: COUNTS, servedModel: "m-1" },
    });
  });

  it("takes usage from any chunk, and from Groq's place", () => {
    assert.deepEqual(stream([chunk({ content: "a" }, "stop", { usage: USAGE })]).end.usage, COUNTS);
    assert.deepEqual(
      stream([chunk({ content: "a" }), chunk({}, "stop", { x_groq: { usage: USAGE } })]).end.usage,
      COUNTS,
    );
    assert.deepEqual(
      stream([
        chunk({ content: "a" }, null, { usage: { prompt_tokens: 1, completion_tokens: 1 } }),
        chunk({}, "stop", { usage: USAGE }),
      ]).end.usage,
      COUNTS,
    );
    assert.equal(stream([chunk({ content: "a" }, "stop", { usage: null })]).end.usage, undefined);
  });

  it("is complete with a finish reason although [DONE] never came", () => {
    assert.equal(stream([chunk({ content: "a" }, "stop")]).end.finish, "stop");
  });

  it("is not complete with [DONE] alone, unless a strict parser follows", () => {
    assert.equal(
      kindOf(() => stream([chunk({ content: "a" }), done])),
      "stream_interrupted",
    );
    assert.equal(
      kindOf(() => stream([chunk({ content: "a" })], { acceptsMissingFinish: true })),
      "stream_interrupted",
    );
    assert.equal(stream([chunk({ content: "a" }), done], { acceptsMissingFinish: true }).end.finish, "stop");
  });

  it("joins an emoji that comes as two surrogates and never gives half of one", () => {
    const half = (code: string) => chunk({ content: "X" }).replace("X", code);
    assert.deepEqual(stream([half("Sea \\ud83d"), half("\\udef3 ok"), chunk({}, "stop")]).texts, ["Sea ", "🛳 ok"]);
    assert.equal(
      kindOf(() => stream([half("a\\ud83d"), chunk({}, "stop"), done])),
      "stream_interrupted",
    );
    assert.equal(
      kindOf(() => stream([half("a\\ud83d"), half("b"), chunk({}, "stop")])),
      "stream_interrupted",
    );
    assert.equal(
      kindOf(() => stream([half("a\\udef3"), chunk({}, "stop")])),
      "stream_interrupted",
    );
  });

  it("ignores what follows [DONE], other choices, and empty data", () => {
    const other = JSON.stringify({ choices: [{ index: 1, delta: { content: "no" }, finish_reason: "stop" }] });
    assert.deepEqual(
      stream([other, " ", chunk({ content: "a" }, "stop"), done, chunk({ content: "no" }), "garbage"]).texts,
      ["a"],
    );
  });

  it("takes parts and drops thinking", () => {
    const parts = [
      { type: "thinking", thinking: [{ type: "text", text: "no" }] },
      { type: "text", text: "yes" },
    ];
    assert.deepEqual(stream([chunk({ content: parts, reasoning_content: "no" }, "stop")]).texts, ["yes"]);
  });

  it("fails for errors in the stream, in every shape", () => {
    const bodies = [
      { error: { message: "x" } },
      { error: "x" },
      { type: "error", error: { type: "overloaded_error" } },
      [{ error: { code: 429 } }],
      { object: "error", message: "x" },
      { choices: [{ delta: {}, finish_reason: "error" }], error: { code: 502 } },
    ];
    for (const body of bodies)
      assert.equal(
        kindOf(() => stream([chunk({ content: "a" }), JSON.stringify(body)])),
        "overloaded",
        JSON.stringify(body),
      );
    assert.equal(
      kindOf(() => new StreamAnswer(contextOf()).push({ name: "error", data: "plain words" })),
      "overloaded",
    );
  });

  it("fails for refusals, filters and data that is no JSON", () => {
    assert.equal(
      kindOf(() => stream([chunk({ refusal: "I " }), chunk({ refusal: "cannot" }), chunk({}, "stop")])),
      "content_filtered_output",
    );
    assert.equal(
      kindOf(() => stream([chunk({ content: "a" }), chunk({}, "content_filter")])),
      "content_filtered_output",
    );
    assert.equal(
      kindOf(() => stream(['{"choices":[{"delta":{"conte'])),
      "stream_interrupted",
    );
    assert.equal(
      kindOf(() => stream([chunk({}, "stop"), done])),
      "empty_answer",
    );
  });
});

describe("WholeCharacters", () => {
  it("gives the same text at any cut", () => {
    const text = "a🛳b夜🇳🇴";
    for (let at = 0; at <= text.length; at++) {
      const characters = new WholeCharacters();
      const parts = [characters.push(text.slice(0, at)), characters.push(text.slice(at))];
      assert.equal(parts.join(""), text);
      assert.ok(parts.every((part) => part.isWellFormed()));
    }
  });
});
