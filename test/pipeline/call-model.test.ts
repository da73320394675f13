import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
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
const json = { output: { format: { case: "json" as const, value: { schema: '{"type":"object"}' } } } };
const fails = (kind: UpstreamErrorKind, rest: Partial<UpstreamErrorFields> = {}): ScriptedAnswer => ({
  failure: { kind, httpStatus: 500, ...rest },
});
const answers: ScriptedAnswer = { deltas: ["ok"] };
const complete = (ports: TestPorts, input = ask()) => createPipeline(ports).complete(testCall(), input);

async function failureOf(attempt: Promise<unknown>): Promise<Failure> {
  const error = await attempt.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SluiceError)) throw error;
  return error.failure;
}

describe("the way of a call through failures", () => {
  it("goes on after each lesson of an adapter, as long as attempts last", async () => {
    const lesson = fails("request_refused", { retry: true });
    for (const script of [
      [lesson, lesson, answers],
      [fails("overloaded"), lesson, answers],
      [fails("json_mode_refused"), lesson, answers],
    ]) {
      const ports = pipelinePorts([target({ chat: scriptedModel(...script) })]);
      assert.equal((await complete(ports)).text, "ok");
    }
  });

  it("does not give up for a fallback that cannot take the prompt", async () => {
    const small = target({ alias: "small", contextTokens: 15, maxOutputTokens: 10, chat: scriptedModel(answers) });
    const script = [fails("overloaded"), fails("overloaded"), answers];
    const ports = pipelinePorts([target({ chat: scriptedModel(...script), fallbacks: ["small"] }), small]);
    assert.equal((await complete(ports)).model, "fast");
    const silent = [fails("first_byte_timeout"), answers];
    const again = pipelinePorts([target({ chat: scriptedModel(...silent), fallbacks: ["small"] }), small]);
    assert.equal((await complete(again)).model, "fast");
  });

  it("asks the next model where this one cannot be asked differently", async () => {
    const other = target({ alias: "other", chat: scriptedModel(answers) });
    for (const kind of ["json_mode_refused", "output_limit_invalid"] as const) {
      const chat = scriptedModel(fails(kind, { maxOutputTokens: 100_000 }), fails(kind, { maxOutputTokens: 100_000 }));
      const ports = pipelinePorts([target({ chat, fallbacks: ["other"] }), other]);
      assert.equal((await complete(ports)).model, "other", kind);
    }
  });

  it("moves a prompt that cannot get shorter to a larger window only", async () => {
    const chat = scriptedModel(fails("context_overflow"));
    const same = target({ alias: "same", chat: scriptedModel({ deltas: ["wrong"] }) });
    const large = target({ alias: "large", contextTokens: 5000, chat: scriptedModel(answers) });
    const ports = pipelinePorts([target({ chat, fallbacks: ["same", "large"] }), same, large]);
    assert.equal((await complete(ports)).model, "large");
  });

  it("tells the caller what the model it asked for failed with, unless another gives hope", async () => {
    const limited = fails("rate_limited", { waitMs: 60_000 });
    const told = async (first: ScriptedAnswer, second: ScriptedAnswer) => {
      const other = target({ alias: "other", chat: scriptedModel(second) });
      return failureOf(complete(pipelinePorts([target({ chat: scriptedModel(first), fallbacks: ["other"] }), other])));
    };
    const failure = await told(limited, fails("auth_invalid"));
    assert.ok(failure.reason === "RATE_LIMITED" && failure.retryAfterMs === 60_000);
    assert.equal((await told(fails("quota_exhausted"), fails("overloaded"))).reason, "MODEL_UNAVAILABLE");
    assert.equal((await told(fails("quota_exhausted"), fails("auth_invalid"))).reason, "QUOTA_EXHAUSTED");
  });

  it("never asks for more output than the caller allowed", async () => {
    const cut = { deltas: ['{"a":'], end: { finish: "length" as const } };
    const explicit = scriptedModel(cut);
    const ports = pipelinePorts([target({ chat: explicit })]);
    const failure = await failureOf(complete(ports, ask({ ...json, generation: { maxOutputTokens: 50 } })));
    assert.ok(failure.reason === "PARSE_FAILURE" && failure.truncated);
    assert.deepEqual(
      explicit.requests.map((request) => request.sampling.maxOutputTokens),
      [50],
    );
    const free = scriptedModel(cut);
    await failureOf(complete(pipelinePorts([target({ chat: free })]), ask(json)));
    assert.deepEqual(
      free.requests.map((request) => request.sampling.maxOutputTokens),
      [100, 200, 400],
    );
  });

  it("takes JSON that is whole although the model ran into its limit", async () => {
    const chat = scriptedModel({ deltas: ['{"a":1}'], end: { finish: "length" } });
    assert.equal((await complete(pipelinePorts([target({ chat })]), ask(json))).text, '{"a":1}');
    assert.equal(chat.requests.length, 1);
  });

  it("charges what was written before a failure, whatever its kind", async () => {
    const chat = scriptedModel({ deltas: ["one two three"], ...fails("overloaded") }, answers);
    const { attempts } = await complete(pipelinePorts([target({ chat })]));
    assert.equal(attempts[0]?.usage?.completionTokens, 3n);
    assert.equal(attempts[0]?.usage?.estimated, true);
  });

  it("charges nothing that was not sent", async () => {
    const chat = scriptedModel(answers);
    const plain = pipelinePorts([target({ chat })]);
    const call = testCall();
    const ledger: TestPorts["ledger"] = {
      async record(record) {
        await plain.ledger.record(record);
        if (record.type === "attempt_started") call.leave();
      },
    };
    await assert.rejects(createPipeline({ ...plain, ledger }).complete(call, ask()));
    assert.equal(chat.requests.length, 0);
    const ended = plain.records.find((record) => record.type === "attempt_finished");
    assert.ok(ended?.type === "attempt_finished" && ended.prompt_tokens === 0 && ended.cost_nano_usd === "0");
  });

  it("streams JSON without the white space around it, so that nothing is sent twice", async () => {
    const chat = scriptedModel({ deltas: ["\n ", '{"a": ', "1}", "\n"] });
    const kinds: string[] = [];
    let text = "";
    for await (const { event } of createPipeline(pipelinePorts([target({ chat })])).stream(testCall(), ask(json))) {
      kinds.push(String(event.case));
      if (event.case === "textDelta") text += event.value.text;
    }
    assert.deepEqual(kinds, ["started", "textDelta", "textDelta", "jsonPart", "finished"]);
    assert.equal(text, '{"a": 1}');
  });
});
