import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { type Failure, SluiceError } from "../../src/core/failure.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { fakeClock } from "../support/clock.ts";
import { type ScriptedAnswer, scriptedModel, target } from "../support/models.ts";
import { pipelinePorts, type TestPorts, testCall } from "../support/pipeline-ports.ts";

const ask = (text: string) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: text } }] }],
  });
const complete = (ports: TestPorts, text: string, call = testCall({ id: text })) =>
  createPipeline(ports).complete(call, ask(text));

async function failureOf(attempt: Promise<unknown>): Promise<Failure> {
  const error = await attempt.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SluiceError)) throw error;
  return error.failure;
}

const answers: ScriptedAnswer = { deltas: ["ok"] };
const limited = (waitMs: number): ScriptedAnswer => ({ failure: { kind: "rate_limited", httpStatus: 429, waitMs } });
const down: ScriptedAnswer = { failure: { kind: "overloaded", httpStatus: 503 } };
const briefly = { deadline: { remainingMs: () => 500 } };

describe("the turn of an attempt", () => {
  it("comes for nobody before the wait that the provider told somebody else", async () => {
    const clock = fakeClock();
    const ports = pipelinePorts([target({ chat: scriptedModel(limited(20_000), answers) })], { clock });
    const hasty = await failureOf(complete(ports, "first", testCall(briefly)));
    assert.ok(hasty.reason === "RATE_LIMITED" && hasty.retryAfterMs === 20_000);
    clock.advance(5_000);
    const completion = await complete(ports, "second");
    assert.ok((completion.attempts[0]?.waitMs ?? 0n) >= 15_000n, "it waits with the other, and says so");
    assert.equal(completion.attempts.length, 1, "a wait is no attempt");
  });

  it("is refused at once, with what is left of the wait, where there is no time for it", async () => {
    const clock = fakeClock();
    const chat = scriptedModel(limited(20_000));
    const ports = pipelinePorts([target({ chat })], { clock });
    await failureOf(complete(ports, "first", testCall(briefly)));
    clock.advance(5_000);
    const told = await failureOf(complete(ports, "second", testCall(briefly)));
    assert.ok(told.reason === "RATE_LIMITED" && told.retryAfterMs === 15_000);
    assert.equal(chat.requests.length, 1, "nothing is sent into a window that is closed");
  });

  it("goes to a fallback where the model it asked for cools down for too long", async () => {
    const chat = scriptedModel(limited(20_000));
    const other = target({ alias: "other", providerModel: "other", chat: scriptedModel(answers) });
    const ports = pipelinePorts([target({ chat, fallbacks: ["other"] }), other]);
    assert.equal((await complete(ports, "first", testCall(briefly))).model, "other");
    assert.equal((await complete(ports, "second", testCall(briefly))).model, "other");
    assert.equal(chat.requests.length, 1);
  });

  it("is refused while the circuit is open, and a probe opens the way again", async () => {
    const clock = fakeClock();
    const chat = scriptedModel(down, down, down, down, down, answers);
    const ports = pipelinePorts([target({ chat })], { clock });
    await failureOf(complete(ports, "first"));
    const second = await failureOf(complete(ports, "second", testCall(briefly)));
    assert.equal(chat.requests.length, 5, "the fifth failure in a row opens the circuit, whoever makes it");
    assert.equal(second.reason, "MODEL_UNAVAILABLE");
    const third = await failureOf(complete(ports, "third"));
    assert.ok(third.reason === "MODEL_UNAVAILABLE" && (third.retryAfterMs ?? 0) > 0 && third.attempts.length === 0);
    assert.equal(ports.gates.state(target())?.circuit, "open");
    clock.advance(60_000);
    assert.equal((await complete(ports, "fourth")).text, "ok");
    assert.equal(ports.gates.state(target())?.circuit, "closed");
  });

  it("is waited for by a call that the open circuit caught between two attempts", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel(down, down, down, down, down, answers) })]);
    await failureOf(complete(ports, "first"));
    const caught = await complete(ports, "second");
    assert.equal(caught.text, "ok");
    assert.equal(caught.attempts.length, 2, "waiting is no attempt");
    assert.ok((caught.attempts[1]?.waitMs ?? 0n) >= 1000n);
  });

  it("is not waited for where another model can answer at once", async () => {
    const other = target({ alias: "other", providerModel: "other", chat: scriptedModel(answers) });
    const ports = pipelinePorts([target({ chat: scriptedModel(down), fallbacks: ["other"] }), other]);
    for (const text of ["first", "second", "third"]) assert.equal((await complete(ports, text)).model, "other");
    assert.equal(ports.gates.state(target())?.circuit, "open");
    const fourth = await complete(ports, "fourth");
    assert.deepEqual([fourth.model, fourth.attempts.length], ["other", 1]);
  });

  it("does not come while all slots are taken and the queue is full: OVERLOADED, or a fallback", async () => {
    const free = Promise.withResolvers<void>();
    const chat = scriptedModel({ ...answers, hold: free.promise });
    const narrow = { limits: { maxConcurrency: 1, maxQueue: 1 }, chat };
    const ports = pipelinePorts([target(narrow)]);
    const under = complete(ports, "first");
    const waits = complete(ports, "second");
    await new Promise(setImmediate);
    const full = await failureOf(complete(ports, "third"));
    assert.ok(full.reason === "OVERLOADED" && full.resource === "models/fast" && full.limit === 1);
    assert.equal(chat.requests.length, 1);
    free.resolve();
    assert.deepEqual([(await under).text, (await waits).text], ["ok", "ok"]);
    assert.equal(ports.gates.state(target())?.inFlight, 0);
  });

  it("is given back by a caller who leaves the queue", async () => {
    const free = Promise.withResolvers<void>();
    const chat = scriptedModel({ ...answers, hold: free.promise });
    const ports = pipelinePorts([target({ limits: { maxConcurrency: 1, maxQueue: 5 }, chat })]);
    const under = complete(ports, "first");
    const leaving = testCall({ id: "second" });
    const left = complete(ports, "second", leaving);
    await new Promise(setImmediate);
    leaving.leave();
    await assert.rejects(left);
    free.resolve();
    await under;
    assert.equal(ports.gates.state(target())?.queued, 0);
    assert.equal(chat.requests.length, 1, "who left the queue is never sent");
  });
});
