import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import {
  CacheMode,
  CompletionInputSchema,
  Overflow,
  ReasoningEffort,
} from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import type { ModelTarget } from "../../src/core/model.ts";
import { buildContext } from "../../src/pipeline/build-context.ts";
import { contentKey } from "../../src/pipeline/cache-key.ts";
import { validate } from "../../src/pipeline/validate.ts";
import { catalog, target } from "../support/models.ts";
import { builtinPrompts, checkCompiler, jsonSchemas, noPrompts, wordCounter } from "../support/pipeline-ports.ts";

type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

const say = (text: string, role: Role = Role.USER) => ({
  role,
  content: [{ content: { case: "text" as const, value: text } }],
});
const base: Init = { messages: [say("question")] };

function key(input: Init = base, model: Partial<ModelTarget> = {}, tenant = "acme", strong = "gpt-strong"): string {
  const ports = {
    counter: wordCounter,
    builtins: builtinPrompts,
    schemas: jsonSchemas,
    checks: checkCompiler,
    prompts: noPrompts,
    models: catalog(
      target(model),
      target({ ...model, alias: "same" }),
      target({ ...model, alias: "other", providerModel: "gpt-other" }),
      target({ alias: "smart", providerModel: strong }),
    ),
  };
  return contentKey(tenant, buildContext(ports, validate(ports, create(CompletionInputSchema, input)))).key;
}

const checked = (rule: string, message = "wrong") => ({
  format: { case: "text" as const, value: { checks: [{ rule, message }] } },
});
const json = (schema: string) => ({ format: { case: "json" as const, value: { schema } } });

describe("the content key", () => {
  it("is 64 hex digits, and the same for the same question", () => {
    assert.match(key(), /^[0-9a-f]{64}$/);
    assert.equal(key(), key());
  });

  const changes: Record<string, () => string> = {
    tenant: () => key(base, {}, "other"),
    "text of a message": () => key({ messages: [say("another question")] }),
    "role of a message": () => key({ messages: [say("question", Role.SYSTEM), say("question")] }),
    "order of messages": () => key({ messages: [say("a"), say("question")] }),
    model: () => key({ ...base, model: "other" }),
    provider: () => key(base, { provider: { id: "second", baseUrl: "http://upstream.test/v1" } }),
    "address of the provider": () => key(base, { provider: { id: "main", baseUrl: "http://elsewhere.test/v1" } }),
    alias: () => key({ ...base, model: "same" }),
    "settings of the provider": () =>
      key(base, { provider: { id: "main", baseUrl: "http://upstream.test/v1", settings: "v2" } }),
    escalation: () => key(base, { escalateTo: "smart" }),
    "model behind the escalation": () => key(base, { escalateTo: "smart" }, "acme", "gpt-stronger"),
    sandbox: () => key(base, { synthetic: true }),
    "kind of output": () => key({ ...base, output: json("{}") }),
    "rule of a check": () => key({ ...base, output: checked("output != 'a'") }),
    "message of a check": () => key({ ...base, output: checked("output != ''", "another") }),
    "id of a chunk": () => key({ ...base, context: { chunks: [{ id: "b", text: "x" }] } }),
    "text of a chunk": () => key({ ...base, context: { chunks: [{ id: "a", text: "y" }] } }),
    "score of a chunk": () => key({ ...base, context: { chunks: [{ id: "a", text: "x", score: 1 }] } }),
    temperature: () => key({ ...base, generation: { temperature: 0 } }),
    top_p: () => key({ ...base, generation: { topP: 0.5 } }),
    max_output_tokens: () => key({ ...base, generation: { maxOutputTokens: 7 } }),
    stop: () => key({ ...base, generation: { stop: ["."] } }),
    seed: () => key({ ...base, generation: { seed: 0n } }),
    presence_penalty: () => key({ ...base, generation: { presencePenalty: 0 } }),
    frequency_penalty: () => key({ ...base, generation: { frequencyPenalty: 0 } }),
    reasoning_effort: () => key({ ...base, generation: { reasoningEffort: ReasoningEffort.LOW } }),
  };

  it("changes with everything that can change the answer", () => {
    const keys = Object.entries(changes).map(([name, changed]) => [name, changed()] as const);
    keys.push(["nothing", key()], ["a chunk", key({ ...base, context: { chunks: [{ id: "a", text: "x" }] } })]);
    keys.push(["a check", key({ ...base, output: checked("output != ''") })]);
    keys.push(["a schema", key({ ...base, output: json('{"type":"object"}') })]);
    keys.push(["its JSON mode", key({ ...base, output: json('{"type":"object"}') }, { structuredOutput: "prompt" })]);
    const byKey = new Map<string, string>();
    for (const [name, value] of keys) {
      assert.equal(byKey.get(value), undefined, `${name} and ${byKey.get(value)} have the same key`);
      byKey.set(value, name);
    }
  });

  it("does not change with what cannot change the answer", () => {
    const same: Record<string, string> = {
      attribution: key({ ...base, attribution: { feature: "f", user: "u" } }),
      "cache mode": key({ ...base, cache: { mode: CacheMode.REFRESH, ttlSeconds: 5 } }),
      "overflow that did not happen": key({ ...base, overflow: Overflow.REJECT }),
      "default model by name": key({ ...base, model: "fast" }),
      fallbacks: key(base, { fallbacks: ["other"] }),
      timeouts: key(base, { timeouts: { firstByteMs: 1, idleMs: 2, attemptMs: 3 } }),
      streaming: key(base, { streamUpstream: false }),
    };
    for (const [name, value] of Object.entries(same)) assert.equal(value, key(), name);
  });

  it("cannot be made equal by moving text from one field to its neighbour", () => {
    const split = key({ messages: [say('a"],["user","b')] });
    assert.notEqual(split, key({ messages: [say("a"), say("b")] }));
  });
});
