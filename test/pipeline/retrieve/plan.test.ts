import assert from "node:assert/strict";
import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { RetrievalInputSchema } from "../../../gen/sluice/v1/retrieval_pb.ts";
import { loadPrompt } from "../../../src/adapters/prompt-files/load-prompt.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import type { LoadedPrompt } from "../../../src/core/prompt.ts";
import { planRetrieval, readPlan } from "../../../src/pipeline/retrieve/plan.ts";
import { validate } from "../../../src/pipeline/validate.ts";
import { checkCompiler, jsonSchemas } from "../../support/pipeline-ports.ts";

const ports = { schemas: jsonSchemas, checks: checkCompiler };

/** A prompt file with this retrieval, written as YAML. */
function promptWith(retrieval: string): LoadedPrompt {
  const source = `---
description: For a test.
${retrieval}
input:
  schema:
    type: object
    properties: { question: { type: string }, note: { type: string } }
    required: [question]
    additionalProperties: false
---
@user
{{question}}`;
  const bytes = new TextEncoder().encode(source);
  const loaded = loadPrompt({ file: "ask/v1.prompt", name: "ask", version: "v1", bytes }, ports);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ rule, message }) => `${rule}: ${message}`).join("\n"));
  return loaded.prompt;
}

function plan(input: JsonValue, prompt?: LoadedPrompt) {
  return planRetrieval(validate(ports, fromJson(CompletionInputSchema, input)), prompt);
}

const own = promptWith(
  "retrieval: { collection: handbook, query: question, top_k: 3, min_similarity: 0.2, mode: hybrid }",
);
const ask = { prompt: { name: "ask", variables: { question: "How late is breakfast?" } } };
const user = (text: string) => ({ role: "ROLE_USER", content: [{ text }] });

function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST")
      return error.failure.violations.map(({ field, rule }) => `${field} ${rule}`).join();
    throw error;
  }
  return "nothing";
}

describe("the plan of a retrieval", () => {
  it("is none where nobody asks for one", () => {
    assert.equal(plan({ messages: [user("hello")] }), undefined);
    assert.equal(plan(ask, promptWith("model: fast")), undefined);
  });

  it("is the prompt's, its query the variable that it names", () => {
    assert.deepEqual(plan(ask, own), {
      collection: "handbook",
      query: "How late is breakfast?",
      topK: 3,
      minSimilarity: 0.2,
      filter: [],
      isHybrid: true,
      isOptional: false,
    });
  });

  it("is the request's, field by field, before the prompt's", () => {
    const retrieval = { collection: "terms", topK: 9, mode: "RETRIEVAL_MODE_VECTOR" };
    const made = plan({ ...ask, retrieval }, own);
    assert.deepEqual([made?.collection, made?.topK, made?.minSimilarity, made?.isHybrid], ["terms", 9, 0.2, false]);
    assert.equal(plan({ ...ask, retrieval: { query: "lunch" } }, own)?.query, "lunch");
  });

  it("is none where the caller brings chunks of its own, unless it asks for both", () => {
    const context = { chunks: [{ id: "a", text: "b" }] };
    assert.equal(plan({ ...ask, context }, own), undefined);
    assert.equal(plan({ ...ask, context, retrieval: {} }, own)?.collection, "handbook");
  });

  it("is none for a prompt that knows what to look for but not where, until the request says it", () => {
    const somewhere = promptWith("retrieval: { query: question }");
    assert.equal(plan(ask, somewhere), undefined);
    assert.equal(plan({ ...ask, retrieval: { collection: "terms" } }, somewhere)?.query, "How late is breakfast?");
  });

  it("of messages looks for the last of the user's, of a long one for its two ends", () => {
    const answer = { role: "ROLE_ASSISTANT", content: [{ text: "yes" }] };
    const retrieval = { collection: "terms" };
    assert.equal(plan({ messages: [user("one"), answer, user("two")], retrieval })?.query, "two");
    const query = plan({ messages: [user(`first${" x".repeat(9000)} last`)], retrieval })?.query ?? "";
    assert.ok(query.startsWith("first") && query.endsWith("last") && query.length <= 4001);
  });

  it("is refused without a collection, and without a letter or digit to look for", () => {
    assert.equal(
      refused(() => plan({ messages: [user("hi")], retrieval: {} })),
      "input.retrieval.collection required",
    );
    const blank = { messages: [user("?!")], retrieval: { collection: "terms" } };
    assert.equal(
      refused(() => plan(blank)),
      "input.retrieval.query retrieval.query",
    );
    const unsaid = { ...ask, retrieval: { collection: "terms" } };
    assert.equal(
      refused(() => plan(unsaid, promptWith("model: fast"))),
      "input.retrieval.query retrieval.query",
    );
  });
});

describe("the filter of a retrieval", () => {
  const conditions = (...all: JsonValue[]) =>
    readPlan(fromJson(RetrievalInputSchema, { collection: "c", query: "q", filter: { all } }), "retrieval").filter;

  it("takes equality, lists, ranges and presence, of texts, numbers and bools", () => {
    assert.deepEqual(
      conditions(
        { key: "lang", equals: "de" },
        { key: "year", in: [2024, 2025] },
        { key: "day", range: { gte: "2026-01-01", lt: "2027-01-01" } },
        { key: "draft", exists: false },
      ),
      [
        { key: "lang", test: "in", values: ["de"] },
        { key: "year", test: "in", values: [2024, 2025] },
        { key: "day", test: "range", gte: "2026-01-01", lt: "2027-01-01" },
        { key: "draft", test: "exists", exists: false },
      ],
    );
  });

  const refusals: readonly [string, JsonValue, string][] = [
    ["null", { key: "a", equals: null }, "retrieval.filter.all[0].equals filter.value"],
    ["an object", { key: "a", equals: { b: 1 } }, "retrieval.filter.all[0].equals filter.value"],
    ["a NUL", { key: "a", equals: "\0" }, "retrieval.filter.all[0].equals filter.value"],
    ["a text of 1,025 bytes", { key: "a", equals: "x".repeat(1025) }, "retrieval.filter.all[0].equals filter.value"],
    ["an empty list", { key: "a", in: [] }, "retrieval.filter.all[0].in filter.values"],
    ["a list of 65", { key: "a", in: Array(65).fill(1) }, "retrieval.filter.all[0].in filter.values"],
    ["a list in a list", { key: "a", in: [[1]] }, "retrieval.filter.all[0].in[0] filter.value"],
    ["a range without a bound", { key: "a", range: {} }, "retrieval.filter.all[0].range filter.bounds"],
    ["bounds of two kinds", { key: "a", range: { gt: 1, lt: "2" } }, "retrieval.filter.all[0].range filter.bounds"],
    ["two lower bounds", { key: "a", range: { gt: 1, gte: 1 } }, "retrieval.filter.all[0].range.gte filter.bounds"],
    ["a bool as a bound", { key: "a", range: { gt: true } }, "retrieval.filter.all[0].range.gt filter.bounds"],
  ];
  for (const [name, condition, wanted] of refusals) {
    it(`refuses ${name}, and says where`, () => {
      assert.equal(
        refused(() => conditions(condition)),
        wanted,
      );
    });
  }

  it("needs a test", () => {
    const filter = { all: [{ key: "a" }] };
    const input = create(RetrievalInputSchema, { collection: "c", query: "q", filter });
    assert.equal(
      refused(() => readPlan(input, "retrieval")),
      "retrieval.filter.all[0] required",
    );
  });
});

describe("a prompt file's retrieval", () => {
  for (const [name, yaml, message] of [
    ["without a query", "retrieval: { collection: a }", /retrieval.query is required/],
    ["with a query that is no variable", "retrieval: { query: answer }", /answer is none/],
    ["with a query that may be missing", "retrieval: { query: note }", /note is none/],
    ["with an unknown key", "retrieval: { query: question, k: 1 }", /retrieval has no k/],
    ["with too many chunks", "retrieval: { query: question, top_k: 101 }", /top_k/],
    ["with no number of chunks", "retrieval: { query: question, top_k: many }", /top_k must be a number/],
    ["with an unknown mode", "retrieval: { query: question, mode: magic }", /mode must be one of vector, hybrid/],
    ["with an unknown operator", "retrieval: { query: question, filter: { all: [{ key: a, like: b }] } }", /filter/],
    [
      "with a range of two kinds",
      'retrieval: { query: question, filter: { all: [{ key: a, range: { gt: 1, lt: "b" } }] } }',
      /one kind/,
    ],
    ["with a name no collection has", "retrieval: { query: question, collection: 'a b' }", /collection/],
    ["that is a list", "retrieval: []", /must be a mapping/],
  ] as const) {
    it(`${name} is refused`, () => {
      assert.throws(() => promptWith(yaml), message);
    });
  }
});
