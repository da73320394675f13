import assert from "node:assert/strict";
import { create, type MessageInitShape, type UnknownEnum } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { validate } from "../../src/pipeline/validate.ts";
import { checkCompiler, jsonSchemas } from "../support/pipeline-ports.ts";

type Input = Exclude<MessageInitShape<typeof CompletionInputSchema>, { $typeName: string }>;

/** A number that a newer client may send for an enum. */
const unknown = (number: number) => number as UnknownEnum;
const text = (value: string) => ({ content: { case: "text" as const, value } });
const say = (value: string) => ({ role: Role.USER, content: [text(value)] });
const messages = [say("x")];
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const chunks = (count: number) => times(count, (i) => ({ id: `c${i}`, text: "x" }));
const json = (schema: string): Input => ({ messages, output: { format: { case: "json", value: { schema } } } });
const checks = (count: number, rule = "true", message = "m"): Input => ({
  messages,
  output: { format: { case: "json", value: { schema: "{}", checks: times(count, () => ({ rule, message })) } } },
});
const generation = (options: NonNullable<Input["generation"]>): Input => ({ messages, generation: options });
const prompt = (fields: NonNullable<Input["prompt"]>): Input => ({ prompt: fields });
/** A schema of exactly so many bytes, or nested so many levels deep. */
const schemaOf = (bytes: number) => `{"description":"${"x".repeat(bytes - 18)}"}`;
const nestedSchema = (levels: number) => `${'{"not":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;

/** For each limit: the field that is named, an input at the limit, and one that is one past it. */
const limits: readonly [field: string, at: Input, past: Input][] = [
  ["input.messages", { messages: times(256, () => say("x")) }, { messages: times(257, () => say("x")) }],
  [
    "input.messages[0].content",
    { messages: [{ role: Role.USER, content: times(32, () => text("x")) }] },
    { messages: [{ role: Role.USER, content: times(33, () => text("x")) }] },
  ],
  ["input.messages[0].content", { messages }, { messages: [{ role: Role.USER, content: [] }] }],
  [
    "input.messages[0].content[0].text",
    { messages: [say("x".repeat(1_048_576))] },
    { messages: [say("x".repeat(1_048_577))] },
  ],
  [
    "input.messages[0].content[0].text",
    { messages: [say("é".repeat(524_288))] },
    { messages: [say(`${"é".repeat(524_288)}x`)] },
  ],
  ["input.messages[0].content[0].text", { messages }, { messages: [say("")] }],
  ["input.messages[0].content[0].text", { messages }, { messages: [say("a\0b")] }],
  ["input.messages[0].role", { messages }, { messages: [{ content: [text("x")] }] }],
  ["input.messages[0].role", { messages }, { messages: [{ role: unknown(4), content: [text("x")] }] }],
  ["input.model", { messages, model: "m".repeat(128) }, { messages, model: "m".repeat(129) }],
  ["input.model", { messages, model: "a.b_c/d:e-1" }, { messages, model: "a b" }],
  [
    "input.context.chunks",
    { messages, context: { chunks: chunks(256) } },
    { messages, context: { chunks: chunks(257) } },
  ],
  [
    "input.context.chunks",
    { messages, context: { chunks: chunks(2) } },
    { messages, context: { chunks: [...chunks(1), ...chunks(1)] } },
  ],
  [
    "input.context.chunks[0].id",
    { messages, context: { chunks: [{ id: "i".repeat(256), text: "x" }] } },
    { messages, context: { chunks: [{ id: "i".repeat(257), text: "x" }] } },
  ],
  [
    "input.context.chunks[0].text",
    { messages, context: { chunks: [{ id: "i", text: "x".repeat(262_144) }] } },
    { messages, context: { chunks: [{ id: "i", text: "x".repeat(262_145) }] } },
  ],
  [
    "input.context.chunks[0].score",
    { messages, context: { chunks: [{ id: "i", text: "x", score: Number.MAX_VALUE }] } },
    { messages, context: { chunks: [{ id: "i", text: "x", score: Number.POSITIVE_INFINITY }] } },
  ],
  ["input.output.json.schema", json(schemaOf(65_536)), json(schemaOf(65_537))],
  ["input.output.json.schema", json(nestedSchema(32)), json(nestedSchema(33))],
  ["input.output.json.schema", json("{}"), json("")],
  ["input.output.json.schema", json('{"type":"object"}'), json('{"type":"objekt"}')],
  ["input.output.json.schema", json('{"minimum":1}'), json('{"minimun":1}')],
  ["input.output.json.checks", checks(16), checks(17)],
  ["input.output.json.checks[0].rule", checks(1, `true${" ".repeat(2044)}`), checks(1, `true${" ".repeat(2045)}`)],
  ["input.output.json.checks[0].rule", checks(1, "output.n > 0"), checks(1, "output.n >")],
  ["input.output.json.checks[0].message", checks(1, "true", "m".repeat(512)), checks(1, "true", "m".repeat(513))],
  ["input.generation.temperature", generation({ temperature: 2 }), generation({ temperature: 2.000_001 })],
  ["input.generation.temperature", generation({ temperature: 0 }), generation({ temperature: Number.NaN })],
  ["input.generation.top_p", generation({ topP: 1 }), generation({ topP: 1.000_001 })],
  ["input.generation.top_p", generation({ topP: Number.MIN_VALUE }), generation({ topP: 0 })],
  ["input.generation.max_output_tokens", generation({ maxOutputTokens: 1 }), generation({ maxOutputTokens: 0 })],
  [
    "input.generation.max_output_tokens",
    generation({ maxOutputTokens: 1_000_000 }),
    generation({ maxOutputTokens: 1_000_001 }),
  ],
  ["input.generation.stop", generation({ stop: times(4, () => ".") }), generation({ stop: times(5, () => ".") })],
  ["input.generation.stop[0]", generation({ stop: ["s".repeat(128)] }), generation({ stop: ["s".repeat(129)] })],
  ["input.generation.stop[0]", generation({ stop: ["s"] }), generation({ stop: [""] })],
  ["input.generation.presence_penalty", generation({ presencePenalty: -2 }), generation({ presencePenalty: -2.1 })],
  ["input.generation.frequency_penalty", generation({ frequencyPenalty: 2 }), generation({ frequencyPenalty: 2.1 })],
  [
    "input.generation.reasoning_effort",
    generation({ reasoningEffort: 4 }),
    generation({ reasoningEffort: unknown(5) }),
  ],
  ["input.cache.ttl_seconds", { messages, cache: { ttlSeconds: 1 } }, { messages, cache: { ttlSeconds: 0 } }],
  [
    "input.cache.ttl_seconds",
    { messages, cache: { ttlSeconds: 2_592_000 } },
    { messages, cache: { ttlSeconds: 2_592_001 } },
  ],
  ["input.cache.mode", { messages, cache: { mode: 4 } }, { messages, cache: { mode: unknown(5) } }],
  ["input.overflow", { messages, overflow: 2 }, { messages, overflow: unknown(3) }],
  [
    "input.attribution.feature",
    { messages, attribution: { feature: "f".repeat(128) } },
    { messages, attribution: { feature: "f".repeat(129) } },
  ],
  [
    "input.attribution.user",
    { messages, attribution: { user: "Ünïcode is fine" } },
    { messages, attribution: { user: "a\nb" } },
  ],
  ["input.prompt.name", prompt({ name: "p".repeat(64) }), prompt({ name: "p".repeat(65) })],
  ["input.prompt.name", prompt({ name: "a-1" }), prompt({ name: "../a" })],
  ["input.prompt.version", prompt({ name: "p", version: "v999999" }), prompt({ name: "p", version: "v1000000" })],
  ["input.prompt.version", prompt({ name: "p", version: "latest" }), prompt({ name: "p", version: "v0" })],
  [
    "input.prompt.variables_json",
    prompt({ name: "p", variablesJson: `{"a":"${"x".repeat(1_048_568)}"}` }),
    prompt({ name: "p", variablesJson: `{"a":"${"x".repeat(1_048_569)}"}` }),
  ],
  [
    "input.prompt",
    prompt({ name: "p", variablesJson: "{}" }),
    prompt({ name: "p", variablesJson: "{}", variables: {} }),
  ],
  ["input", { messages }, { messages, prompt: { name: "p" } }],
  ["input", { messages }, {}],
];

function violatedFields(input: Input): string[] {
  try {
    validate({ schemas: jsonSchemas, checks: checkCompiler }, create(CompletionInputSchema, input));
    return [];
  } catch (error) {
    assert.ok(error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST", String(error));
    for (const { rule, description } of error.failure.violations) assert.ok(rule && description);
    return error.failure.violations.map(({ field }) => field);
  }
}

describe("the limit of", () => {
  for (const [index, [field, at, past]] of limits.entries()) {
    it(`${field} is kept, and what is past it is refused by name (${index + 1})`, () => {
      assert.deepEqual(violatedFields(at), []);
      assert.deepEqual(violatedFields(past), [field]);
    });
  }

  it("the input itself: it is required", () => {
    assert.throws(
      () => validate({ schemas: jsonSchemas, checks: checkCompiler }, undefined),
      (error) => error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST",
    );
  });
});
