import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { SkipCause } from "../../gen/sluice/v1/error_detail_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { type Failure, SluiceError } from "../../src/core/failure.ts";
import type { UpstreamErrorFields, UpstreamErrorKind } from "../../src/core/model.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { type ScriptedAnswer, scriptedModel, target } from "../support/models.ts";
import { pipelinePorts, type TestPorts, testCall } from "../support/pipeline-ports.ts";

type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

const ask = (rest: Init = {}) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "one two three" } }] }],
    ...rest,
  });
const schema = '{"type":"object","required":["a"]}';
const json: Init = { output: { format: { case: "json", value: { schema } } } };
const chunks: Init = { context: { chunks: ["a", "b"].map((id) => ({ id, text: "word ".repeat(40) })) } };
const good: ScriptedAnswer = { deltas: ['{"a":1}'] };
const bad: ScriptedAnswer = { deltas: ['{"b":1}'] };
const cut: ScriptedAnswer = { deltas: ['{"a":'], end: { finish: "length" } };
const fails = (kind: UpstreamErrorKind, rest: Partial<UpstreamErrorFields> = {}): ScriptedAnswer => ({
  failure: { kind, httpStatus: 500, ...rest },
});
const complete = (ports: TestPorts, input = ask(json), call = testCall()) =>
  createPipeline(ports).complete(call, input);

async function failureOf(attempt: Promise<unknown>): Promise<Failure> {
  const error = await attempt.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SluiceError)) throw error;
  return error.failure;
}

describe("a correction that cannot be made", () => {
  for (const kind of ["context_overflow", "quota_exhausted", "auth_invalid"] as const) {
    it(`goes to the stronger model: ${kind}`, async () => {
      const smart = target({ alias: "smart", providerModel: "smart", chat: scriptedModel(good) });
      const weak = target({ chat: scriptedModel(bad, fails(kind)), escalateTo: "smart" });
      assert.equal((await complete(pipelinePorts([weak, smart]))).model, "smart");
    });
  }

  it("leaves the bad answer as what the caller is told, where waiting would not help", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel(bad, fails("content_filtered_input")) })]);
    const failure = await failureOf(complete(ports));
    assert.equal(failure.reason, "PARSE_FAILURE");
  });

  it("is the bad answer of a fallback too, though the first model was only away", async () => {
    const other = target({ alias: "other", providerModel: "other", chat: scriptedModel(bad) });
    const first = target({ chat: scriptedModel(fails("quota_exhausted")), fallbacks: ["other"] });
    assert.equal((await failureOf(complete(pipelinePorts([first, other])))).reason, "PARSE_FAILURE");
  });
});

describe("more output tokens", () => {
  it("take nothing from the prompt", async () => {
    const chat = scriptedModel(cut, good);
    const ports = pipelinePorts([target({ chat, contextTokens: 350, maxOutputTokens: 300 })]);
    const { attempts, truncation } = await complete(ports, ask({ ...json, ...chunks }));
    assert.deepEqual(
      chat.requests.map(({ sampling, chunks }) => [sampling.maxOutputTokens > 100, chunks.length]),
      [
        [false, 2],
        [true, 2],
      ],
    );
    assert.equal(attempts[1]?.cause, AttemptCause.OUTPUT_LIMIT);
    assert.equal(truncation, undefined);
  });

  it("are as many as fit beside the prompt where twice as many would not", async () => {
    const chat = scriptedModel(cut, good);
    const ports = pipelinePorts([target({ chat, contextTokens: 300, initialMaxTokens: 150, maxOutputTokens: 300 })]);
    await complete(ports);
    const [first = 0, second = 0] = chat.requests.map(({ sampling }) => sampling.maxOutputTokens);
    assert.ok(first === 150 && second > 200 && second < 300, String(second));
  });

  it("are never more than the provider said it takes", async () => {
    const chat = scriptedModel(fails("output_limit_invalid", { maxOutputTokens: 50 }), cut);
    const failure = await failureOf(complete(pipelinePorts([target({ chat })])));
    assert.ok(failure.reason === "PARSE_FAILURE" && failure.truncated);
    assert.deepEqual(
      chat.requests.map(({ sampling }) => sampling.maxOutputTokens),
      [100, 50],
    );
  });

  it("are what a check gets that a cut text breaks", async () => {
    const chat = scriptedModel({ deltas: ["once"], end: { finish: "length" } }, { deltas: ["once more"] });
    const checks = [{ rule: "output.endsWith('more')", message: "it does not end" }];
    const input = ask({ output: { format: { case: "text", value: { checks } } } });
    const { attempts } = await complete(pipelinePorts([target({ chat })]), input);
    assert.equal(attempts[1]?.cause, AttemptCause.OUTPUT_LIMIT);
  });
});

describe("a call that shares its work", () => {
  it("is not made to wait for what it has no time for, while another model can answer", async () => {
    const chat = scriptedModel({ ...fails("rate_limited", { waitMs: 1_500 }), hold: new Promise(setImmediate) });
    const other = target({ alias: "other", providerModel: "other", chat: scriptedModel(good) });
    const ports = pipelinePorts([target({ chat, fallbacks: ["other"] }), other]);
    const hasty = complete(ports, ask(json), testCall({ id: "hasty", deadline: { remainingMs: () => 1_000 } }));
    const patient = complete(ports, ask(json), testCall({ id: "patient" }));
    assert.deepEqual([(await hasty).model, (await patient).model], ["other", "other"]);
  });

  it("is told what the answer was made without, where that was not its own prompt", async () => {
    const small = target({ alias: "small", providerModel: "small", contextTokens: 150, chat: scriptedModel(good) });
    const chat = scriptedModel({ ...fails("quota_exhausted"), hold: new Promise(setImmediate) });
    const ports = pipelinePorts([target({ chat, fallbacks: ["small"] }), small]);
    const input = ask({ ...json, ...chunks });
    const [payer, joined] = await Promise.all([
      complete(ports, input, testCall({ id: "payer" })),
      complete(ports, input, testCall({ id: "joined" })),
    ]);
    assert.ok((payer.truncation?.droppedChunkIds.length ?? 0) > 0);
    assert.deepEqual(joined.truncation, payer.truncation);
  });
});

it("a failure names the models that were not asked, and why", async () => {
  const limited = fails("rate_limited", { waitMs: 20_000 });
  const other = target({ alias: "other", providerModel: "other", chat: scriptedModel(limited) });
  const down = target({ chat: scriptedModel(fails("overloaded")), fallbacks: ["other"] });
  const ports = pipelinePorts([down, other], { maxAttempts: 2 });
  const briefly = { deadline: { remainingMs: () => 500 } };
  await failureOf(complete(ports, ask({ ...json, model: "other" }), testCall(briefly)));
  for (let i = 0; i < 3; i += 1) await failureOf(complete(ports, ask(json), testCall(briefly)));
  const failure = await failureOf(complete(ports, ask(json), testCall(briefly)));
  assert.ok(failure.reason === "MODEL_UNAVAILABLE");
  assert.deepEqual(
    failure.skipped?.map(({ model, cause }) => [model, cause]),
    [
      ["fast", SkipCause.CIRCUIT_OPEN],
      ["other", SkipCause.COOL_DOWN],
    ],
  );
});

it("what a model thought aloud is not quoted to it in a correction", async () => {
  const thinking = { deltas: [`<think>${"because ".repeat(400)}</think>{"b":1}`] };
  const chat = scriptedModel(thinking, good);
  await complete(pipelinePorts([target({ chat, contextTokens: 4_000 })]));
  assert.equal(chat.requests[1]?.messages.at(-2)?.text, '{"b":1}');
});

it("a native mode that was refused is not asked for again, for the same schema", async () => {
  const chat = scriptedModel(fails("json_mode_refused"), good, good);
  const ports = pipelinePorts([target({ chat, contextTokens: 4_000 })]);
  await complete(ports);
  const again = await complete(ports, ask({ ...json, generation: { seed: 2n } }), testCall({ id: "again" }));
  assert.equal(again.attempts.length, 1);
  const other = '{"type":"object"}';
  const fresh = ask({ output: { format: { case: "json", value: { schema: other } } } });
  await complete(ports, fresh, testCall({ id: "fresh" }));
  assert.deepEqual(
    chat.requests.map(({ output }) => output.kind === "json" && output.mode),
    ["json_schema", "prompt", "prompt", "json_schema"],
  );
});
