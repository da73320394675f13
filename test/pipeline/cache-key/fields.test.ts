import assert from "node:assert/strict";
import type { DescMessage } from "@bufbuild/protobuf";
import {
  CacheMode,
  CompletionInputSchema,
  Overflow,
  ReasoningEffort,
} from "../../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../../gen/sluice/v1/message_pb.ts";
import { OnRetrievalFailure, RetrievalMode } from "../../../gen/sluice/v1/retrieval_pb.ts";
import type { ModelTarget } from "../../../src/core/model.ts";
import { target } from "../../support/models.ts";
import { type Init, type Keys, keysOf, type Setting } from "./keys-of.ts";

/** Which of the keys are others: both, only the request's because the same is asked of the model, or none. */
type Changes = "both" | "request" | "none";

/** Two inputs or settings that differ in one field, and which keys that changes. */
interface Case<T> {
  readonly changes: Changes;
  readonly of: readonly [T, T];
}

const say = (text: string, role: Role = Role.USER) => ({
  role,
  content: [{ content: { case: "text" as const, value: text } }],
});
const messages = [say("question")];
const base: Init = { messages };
const text = (...checks: { rule: string; message: string }[]) => ({
  messages,
  output: { format: { case: "text" as const, value: { checks } } },
});
const json = (schema: string, ...checks: { rule: string; message: string }[]) => ({
  messages,
  output: { format: { case: "json" as const, value: { schema, checks } } },
});
const generation = (fields: NonNullable<Init>["generation"]) => ({ messages, generation: fields });
const chunk = (fields: { id?: string; text?: string; score?: number }) => ({
  messages,
  context: { chunks: [{ id: "a", text: "x", ...fields }] },
});
type RetrievalInit = NonNullable<NonNullable<Init>["retrieval"]>;
const retrieval = (fields: RetrievalInit) => ({
  messages,
  retrieval: { collection: "handbook", query: "notice", ...fields },
});
type ConditionInit = NonNullable<NonNullable<RetrievalInit["filter"]>["all"]>[number];
const where = (test: ConditionInit["test"], key = "year") => retrieval({ filter: { all: [{ key, test }] } });
const number = (value: number) => ({ kind: { case: "numberValue" as const, value } });
const range = (bounds: { [name in "gt" | "gte" | "lt" | "lte"]?: ReturnType<typeof number> }) =>
  where({ case: "range", value: bounds });
const rule = { rule: "output != ''", message: "wrong" };

/** By the full names of the fields. */
const inputs: Readonly<Record<string, Case<Init>>> = {
  "CompletionInput.prompt": { changes: "both", of: [base, { prompt: { name: "show" } }] },
  "CompletionInput.messages": { changes: "both", of: [base, { messages: [say("a"), say("question")] }] },
  "CompletionInput.model": { changes: "both", of: [base, { messages, model: "same" }] },
  "CompletionInput.output": { changes: "both", of: [base, json("{}")] },
  "CompletionInput.context": { changes: "both", of: [base, chunk({})] },
  "CompletionInput.generation": { changes: "both", of: [base, generation({ temperature: 0 })] },
  "CompletionInput.cache": { changes: "none", of: [base, { messages, cache: { mode: CacheMode.REFRESH } }] },
  "CompletionInput.overflow": { changes: "request", of: [base, { messages, overflow: Overflow.REJECT }] },
  "CompletionInput.attribution": { changes: "none", of: [base, { messages, attribution: { feature: "f" } }] },
  "CompletionInput.idempotency_key": { changes: "none", of: [base, { messages, idempotencyKey: "k" }] },
  "CompletionInput.retrieval": { changes: "request", of: [base, retrieval({})] },
  "RetrievalInput.collection": { changes: "request", of: [retrieval({}), retrieval({ collection: "terms" })] },
  "RetrievalInput.query": { changes: "request", of: [retrieval({}), retrieval({ query: "Notice" })] },
  "RetrievalInput.top_k": { changes: "request", of: [retrieval({}), retrieval({ topK: 9 })] },
  "RetrievalInput.min_similarity": { changes: "request", of: [retrieval({}), retrieval({ minSimilarity: 0 })] },
  "RetrievalInput.mode": { changes: "request", of: [retrieval({}), retrieval({ mode: RetrievalMode.HYBRID })] },
  "RetrievalInput.on_failure": {
    changes: "none",
    of: [retrieval({}), retrieval({ onFailure: OnRetrievalFailure.CONTINUE })],
  },
  "RetrievalInput.filter": { changes: "request", of: [retrieval({}), where({ case: "exists", value: true })] },
  "MetadataFilter.all": { changes: "request", of: [retrieval({ filter: {} }), where({ case: "exists", value: true })] },
  "MetadataCondition.key": {
    changes: "request",
    of: [where({ case: "exists", value: true }), where({ case: "exists", value: true }, "month")],
  },
  "MetadataCondition.equals": {
    changes: "request",
    of: [where({ case: "equals", value: number(1) }), where({ case: "equals", value: number(2) })],
  },
  "MetadataCondition.in": {
    changes: "request",
    of: [
      where({ case: "in", value: { values: [number(1)] } }),
      where({ case: "in", value: { values: [number(1), number(2)] } }),
    ],
  },
  "MetadataCondition.range": {
    changes: "request",
    of: [range({ gt: number(1) }), where({ case: "equals", value: number(1) })],
  },
  "MetadataCondition.exists": {
    changes: "request",
    of: [where({ case: "exists", value: true }), where({ case: "exists", value: false })],
  },
  "MetadataRange.gt": { changes: "request", of: [range({ gt: number(1) }), range({ gt: number(2) })] },
  "MetadataRange.gte": { changes: "request", of: [range({ gt: number(1) }), range({ gte: number(1) })] },
  "MetadataRange.lt": { changes: "request", of: [range({ lt: number(1) }), range({ lt: number(2) })] },
  "MetadataRange.lte": { changes: "request", of: [range({ lt: number(1) }), range({ lte: number(1) })] },
  "PromptInput.name": { changes: "both", of: [{ prompt: { name: "show" } }, { prompt: { name: "other" } }] },
  "PromptInput.version": {
    changes: "both",
    of: [{ prompt: { name: "show" } }, { prompt: { name: "show", version: "v1" } }],
  },
  "PromptInput.variables": {
    changes: "both",
    of: [
      { prompt: { name: "show", variables: { text: "a" } } },
      { prompt: { name: "show", variables: { text: "b" } } },
    ],
  },
  "PromptInput.variables_json": {
    changes: "both",
    of: [
      { prompt: { name: "show", variablesJson: '{"doc":{"n":1.1}}' } },
      { prompt: { name: "show", variablesJson: '{"doc":{"n":1.10}}' } },
    ],
  },
  "Message.role": {
    changes: "both",
    of: [{ messages: [say("a", Role.SYSTEM), say("b")] }, { messages: [say("a"), say("b")] }],
  },
  "Message.content": { changes: "both", of: [base, { messages: [say("another question")] }] },
  "ContentPart.text": { changes: "both", of: [base, { messages: [say("Question")] }] },
  "OutputFormat.text": { changes: "both", of: [json("{}"), text()] },
  "OutputFormat.json": { changes: "both", of: [text(), json("{}")] },
  "TextOutput.checks": { changes: "both", of: [text(), text(rule)] },
  "JsonOutput.schema": { changes: "both", of: [json('{"type":"string"}'), json('{"type":"integer"}')] },
  "JsonOutput.checks": { changes: "both", of: [json("{}"), json("{}", { rule: "output != 1", message: "m" })] },
  "Check.rule": { changes: "both", of: [text(rule), text({ ...rule, rule: "output != 'a'" })] },
  "Check.message": { changes: "both", of: [text(rule), text({ ...rule, message: "bad" })] },
  "Context.chunks": { changes: "both", of: [{ messages, context: {} }, chunk({})] },
  "ContextChunk.id": { changes: "both", of: [chunk({}), chunk({ id: "b" })] },
  "ContextChunk.text": { changes: "both", of: [chunk({}), chunk({ text: "y" })] },
  "ContextChunk.score": { changes: "both", of: [chunk({}), chunk({ score: 0 })] },
  "GenerationOptions.temperature": { changes: "both", of: [base, generation({ temperature: 1 })] },
  "GenerationOptions.top_p": { changes: "both", of: [base, generation({ topP: 1 })] },
  "GenerationOptions.max_output_tokens": { changes: "both", of: [base, generation({ maxOutputTokens: 100 })] },
  "GenerationOptions.stop": { changes: "both", of: [base, generation({ stop: ["."] })] },
  "GenerationOptions.seed": { changes: "both", of: [base, generation({ seed: 0n })] },
  "GenerationOptions.presence_penalty": { changes: "both", of: [base, generation({ presencePenalty: 0 })] },
  "GenerationOptions.frequency_penalty": { changes: "both", of: [base, generation({ frequencyPenalty: 0 })] },
  "GenerationOptions.reasoning_effort": {
    changes: "both",
    of: [base, generation({ reasoningEffort: ReasoningEffort.LOW })],
  },
  "CacheOptions.mode": { changes: "none", of: [base, { messages, cache: { mode: CacheMode.BYPASS } }] },
  "CacheOptions.ttl_seconds": { changes: "none", of: [base, { messages, cache: { ttlSeconds: 5 } }] },
  "Attribution.feature": { changes: "none", of: [base, { messages, attribution: { feature: "f" } }] },
  "Attribution.user": { changes: "none", of: [base, { messages, attribution: { user: "u" } }] },
};

/** Every field of an input, by the names of its messages. A Struct is a value of the caller. */
function fieldsOf(message: DescMessage, found = new Set<string>()): ReadonlySet<string> {
  for (const field of message.fields) {
    const name = `${message.name}.${field.name}`;
    if (found.has(name)) continue;
    found.add(name);
    if (field.message && !field.message.typeName.startsWith("google.")) fieldsOf(field.message, found);
  }
  return found;
}

function changed(before: Keys, after: Keys): Changes | "content" {
  const content = before.content.key !== after.content.key;
  const request = before.request.key !== after.request.key;
  if (content) return request ? "both" : "content";
  return request ? "request" : "none";
}

describe("the cache keys and the fields of a request", () => {
  it("say of every field whether it changes the keys", () => {
    assert.deepEqual([...fieldsOf(CompletionInputSchema)].sort(), Object.keys(inputs).sort());
  });

  for (const [name, { changes, of }] of Object.entries(inputs)) {
    it(`${name} changes ${changes}`, () => {
      const [before, after] = of;
      assert.equal(changed(keysOf(before), keysOf(after)), changes);
      assert.equal(changed(keysOf(after), keysOf(after)), "none");
    });
  }
});

const main = { id: "main", baseUrl: "http://upstream.test/v1", settings: "v1" };
const models: Readonly<Record<keyof ModelTarget, Case<Partial<ModelTarget>>>> = {
  alias: { changes: "both", of: [{}, { alias: "quick" }] },
  provider: { changes: "both", of: [{}, { provider: { ...main, id: "second" } }] },
  providerModel: { changes: "both", of: [{}, { providerModel: "gpt-5" }] },
  family: { changes: "request", of: [{}, { family: "qwen" }] },
  contextTokens: { changes: "request", of: [{}, { contextTokens: 2000 }] },
  maxOutputTokens: { changes: "request", of: [{}, { maxOutputTokens: 300 }] },
  initialMaxTokens: { changes: "both", of: [{}, { initialMaxTokens: 50 }] },
  structuredOutput: { changes: "request", of: [{}, { structuredOutput: "prompt" }] },
  streamUpstream: { changes: "none", of: [{}, { streamUpstream: false }] },
  templateTokens: { changes: "request", of: [{}, { templateTokens: "refuse" }] },
  fallbacks: { changes: "none", of: [{}, { fallbacks: ["other"] }] },
  escalateTo: { changes: "both", of: [{}, { escalateTo: "smart" }] },
  timeouts: { changes: "none", of: [{}, { timeouts: { firstByteMs: 1, idleMs: 2, attemptMs: 3 } }] },
  limits: { changes: "none", of: [{}, { limits: { maxConcurrency: 1, maxQueue: 0 } }] },
  synthetic: { changes: "both", of: [{}, { synthetic: true }] },
  description: { changes: "none", of: [{}, { description: "fast" }] },
  chat: { changes: "none", of: [{}, { chat: target().chat }] },
};
const providers: Readonly<Record<keyof ModelTarget["provider"], Case<Partial<ModelTarget>>>> = {
  id: { changes: "both", of: [{ provider: main }, { provider: { ...main, id: "second" } }] },
  baseUrl: { changes: "both", of: [{ provider: main }, { provider: { ...main, baseUrl: "http://b.test/v1" } }] },
  settings: { changes: "both", of: [{ provider: main }, { provider: { ...main, settings: "v2" } }] },
};

describe("the cache keys and the model that is asked", () => {
  it("say of every field of a model whether it changes the keys", () => {
    const full: Required<ModelTarget> = { ...target(), escalateTo: "smart" };
    assert.deepEqual(Object.keys(full).sort(), Object.keys(models).sort());
  });

  for (const [name, { changes, of }] of [...Object.entries(models), ...Object.entries(providers)]) {
    it(`${name} changes ${changes}`, () => {
      const [before, after] = of.map((model) => keysOf(base, { model }));
      assert.ok(before && after);
      assert.equal(changed(before, after), changes);
    });
  }

  const settings: Readonly<Record<string, Case<Setting>>> = {
    tenant: { changes: "both", of: [{}, { tenant: "other" }] },
    "corpus version": { changes: "request", of: [{}, { corpus: "7" }] },
    "model behind the escalation": {
      changes: "both",
      of: [{ model: { escalateTo: "smart" } }, { model: { escalateTo: "smart" }, smart: { providerModel: "gpt-6" } }],
    },
    "settings behind the escalation": {
      changes: "both",
      of: [{ model: { escalateTo: "smart" } }, { model: { escalateTo: "smart" }, smart: { provider: main } }],
    },
  };
  for (const [name, { changes, of }] of Object.entries(settings)) {
    it(`the ${name} changes ${changes}`, () => {
      assert.equal(changed(keysOf(base, of[0]), keysOf(base, of[1])), changes);
    });
  }

  it("a JSON mode that is used changes both", () => {
    const asked = json('{"type":"object"}');
    assert.equal(changed(keysOf(asked), keysOf(asked, { model: { structuredOutput: "prompt" } })), "both");
  });
});
