import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AttemptCause } from "../../gen/sluice/v1/attempt_pb.ts";
import { CacheMode, CompletionInputSchema, OutputFormatSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { requestHash as hashOf } from "../../src/pipeline/idempotency/request-hash.ts";
import { outcomeOf } from "../../src/pipeline/idempotency.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { checkMessage } from "../../src/pipeline/validate.ts";
import { fakeClock } from "../support/clock.ts";
import { IdempotentMemory } from "../support/idempotent-memory.ts";
import { type ScriptedAnswer, scriptedModel, target } from "../support/models.ts";
import { pipelinePorts, testCall } from "../support/pipeline-ports.ts";
import { failures } from "../wire/failures.ts";

const turn = () => new Promise(setImmediate);
type Init = Exclude<MessageInitShape<typeof CompletionInputSchema>, { $typeName: string }>;

const usage = { promptTokens: 100, cachedPromptTokens: 0, completionTokens: 10, reasoningTokens: 0 };
const ask = (rest: Init = {}) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "q" } }] }],
    cache: { mode: CacheMode.BYPASS },
    idempotencyKey: "order-4711",
    ...rest,
  });

describe("a call with an idempotency key", () => {
  function stage(...answers: ScriptedAnswer[]) {
    const chat = scriptedModel(...answers);
    const idempotency = new IdempotentMemory();
    // No time passes: what is limited by time is not over before its time.
    const clock = { ...fakeClock(), after: () => () => {} };
    const ports = { ...pipelinePorts([target({ chat })], { clock }), idempotency };
    return { chat, idempotency, ports, pipeline: createPipeline(ports) };
  }

  it("asks for tenant, key, request and call", async () => {
    const { pipeline, idempotency } = stage({ deltas: ["x"] });
    await pipeline.complete(testCall(), ask());
    const { key } = idempotency.rows.get("acme/order-4711") ?? {};
    const requestHash = hashOf("acme", ask({ idempotencyKey: "" }));
    assert.deepEqual(key, { tenant: "acme", key: "order-4711", requestHash, callId: testCall().id });
  });

  it("is paid once; whoever repeats it gets its answer, and is told what that saved", async () => {
    const { chat, pipeline } = stage({ deltas: ["x"], end: { usage } });
    const first = await pipeline.complete(testCall({ id: "first" }), ask());
    const second = await pipeline.complete(testCall({ id: "second" }), ask());
    assert.deepEqual([first.cacheStatus, first.costNanoUsd], [CacheStatus.BYPASSED, 120n]);
    assert.deepEqual([second.callId, second.text, second.cacheStatus], ["second", "x", CacheStatus.REPLAYED]);
    assert.deepEqual([second.costNanoUsd, second.savedNanoUsd, second.attempts.length], [0n, 120n, 0]);
    assert.equal(chat.requests.length, 1);
  });

  it("says what was saved also where its answer was not paid for in the first place", async () => {
    const { pipeline } = stage({ deltas: ["x"], end: { usage } });
    const cached = { cache: undefined };
    await pipeline.complete(testCall(), ask({ ...cached, idempotencyKey: "" }));
    assert.equal((await pipeline.complete(testCall(), ask(cached))).cacheStatus, CacheStatus.MEMORY_HIT);
    const repeated = await pipeline.complete(testCall(), ask(cached));
    assert.deepEqual([repeated.cacheStatus, repeated.savedNanoUsd], [CacheStatus.REPLAYED, 120n]);
  });

  it("goes on when its caller leaves: the repetition that waits for it gets its answer", async () => {
    const gate = Promise.withResolvers<void>();
    const { chat, ports, pipeline } = stage({ hold: gate.promise, deltas: ["x"], end: { usage } });
    const controller = new AbortController();
    const lost = pipeline.complete(testCall({ id: "lost", signal: controller.signal }), ask());
    await turn();
    const repeated = pipeline.complete(testCall({ id: "repeated" }), ask());
    await turn();
    controller.abort(new Error("the connection is lost"));
    await assert.rejects(lost);
    gate.resolve();
    assert.deepEqual([(await repeated).text, (await repeated).cacheStatus], ["x", CacheStatus.REPLAYED]);
    assert.deepEqual([chat.requests.length, chat.aborted.length], [1, 0]);
    await ports.activeCalls.idle(1_000);
    const row = ports.records.find((record) => record.type === "call_finished" && record.call_id === "lost");
    assert.ok(row?.type === "call_finished");
    assert.deepEqual([row.error_reason, row.cost_nano_usd], ["CANCELLED", "120"]);
  });

  it("repeats a failure that was paid, and tries again after any other", async () => {
    const filtered = { failure: { kind: "content_filtered_input" as const, httpStatus: 400 } };
    const down = { failure: { kind: "quota_exhausted" as const, httpStatus: 429 } };
    const { chat, pipeline } = stage(down, filtered, { deltas: ["x"] });
    const reason = async () => {
      const error: unknown = await pipeline.complete(testCall(), ask()).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      return error instanceof SluiceError ? error.failure.reason : error;
    };
    assert.equal(await reason(), "QUOTA_EXHAUSTED");
    assert.equal(await reason(), "CONTENT_FILTERED");
    assert.equal(await reason(), "CONTENT_FILTERED");
    assert.equal(chat.requests.length, 2);
  });

  it("is recorded under the model that was asked, also where a fallback answered", async () => {
    const down = scriptedModel({ failure: { kind: "quota_exhausted", httpStatus: 429 } });
    const other = target({ alias: "other", chat: scriptedModel({ deltas: ["x"] }) });
    const ports = pipelinePorts([target({ chat: down, fallbacks: ["other"] }), other]);
    const pipeline = createPipeline({ ...ports, idempotency: new IdempotentMemory() });
    for (const id of ["first", "second"]) await pipeline.complete(testCall({ id }), ask());
    const rows = ports.records.filter((record) => record.type === "call_finished");
    assert.deepEqual(
      rows.map(({ model, answered_by }) => [model, answered_by]),
      [
        ["fast", "other"],
        ["fast", "other"],
      ],
    );
  });

  it("says that it was taken over from a process that went away", async () => {
    const { idempotency, pipeline } = stage({ deltas: ["x"] });
    idempotency.isTakenOver = true;
    const { attempts } = await pipeline.complete(testCall(), ask());
    assert.deepEqual(
      attempts.map(({ cause }) => cause),
      [AttemptCause.TAKEOVER],
    );
  });

  it("is answered in time although its outcome cannot be kept in time", async () => {
    const { idempotency, ports } = stage({ deltas: ["x"] });
    idempotency.beforeKeep = () => new Promise(() => {});
    const waits: number[] = [];
    const after = (ms: number, callback: () => void) => {
      if (waits.push(ms) > 1) setImmediate(callback);
      return () => {};
    };
    const pipeline = createPipeline({ ...ports, clock: { ...ports.clock, after } });
    assert.equal((await pipeline.complete(testCall(), ask())).text, "x");
    assert.deepEqual(waits, [60_000, 30_000]);
  });

  it("is repeated as a stream with its parts", async () => {
    const { pipeline } = stage({ deltas: ['{"a":', "1}"] });
    const output = create(OutputFormatSchema, { format: { case: "json", value: { schema: '{"type":"object"}' } } });
    const cases = async () => {
      const events = [];
      for await (const { event } of pipeline.stream(testCall(), ask({ output }))) events.push(event.case);
      return events;
    };
    assert.deepEqual(await cases(), ["started", "textDelta", "textDelta", "jsonPart", "finished"]);
    assert.deepEqual(await cases(), ["started", "textDelta", "jsonPart", "finished"]);
  });
});

describe("an idempotency key", () => {
  const check = (idempotencyKey: string) => {
    const messages = [{ role: Role.USER, content: [{ content: { case: "text" as const, value: "q" } }] }];
    checkMessage(CompletionInputSchema, create(CompletionInputSchema, { messages, idempotencyKey }), "input");
  };

  it("is any visible ASCII of at most 255 characters", () => {
    for (const key of ["a", "!", "~", "order/4711:line=3", '"\'"', "x".repeat(255)]) check(key);
  });

  for (const key of [" ", "a b", "a\u0000b", "a\n", "é", "\ud800", "\u007f", "x".repeat(256)]) {
    it(`is not ${JSON.stringify(key.slice(0, 9))} of ${key.length}`, () => {
      assert.throws(
        () => check(key),
        (error) => {
          assert.ok(error instanceof SluiceError && error.failure.reason === "INVALID_REQUEST");
          assert.deepEqual(
            error.failure.violations.map(({ field, rule }) => [field, rule]),
            [["input.idempotency_key", "string.pattern"]],
          );
          return true;
        },
      );
    });
  }
});

describe("the failures that are kept", () => {
  it("are those that a repetition would only pay again", () => {
    const all = Object.values(failures("text"));
    const kept = all.filter((failure) => outcomeOf(new SluiceError(failure)));
    assert.deepEqual(kept.map(({ reason }) => reason).sort(), [
      "CONTENT_FILTERED",
      "PARSE_FAILURE",
      "SEMANTIC_FAILURE",
    ]);
    for (const failure of kept) assert.deepEqual(outcomeOf(new SluiceError(failure)), { kind: "failure", failure });
  });

  it("are never bugs", () => assert.equal(outcomeOf(new Error("bug")), undefined));
});
