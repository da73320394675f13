import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CacheMode, CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, FinishReason } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { RestartCause } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../../src/core/call.ts";
import { type Failure, SluiceError } from "../../src/core/failure.ts";
import type { CallFinished } from "../../src/core/ledger.ts";
import type { UpstreamErrorKind } from "../../src/core/model.ts";
import type { CallEvent } from "../../src/pipeline/call-events.ts";
import { runCall } from "../../src/pipeline/complete.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { fakeClock } from "../support/clock.ts";
import { scriptedModel, target } from "../support/models.ts";
import { pipelinePorts, type TestPorts, testCall } from "../support/pipeline-ports.ts";

type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

const ask = (text: string, rest: Init = {}) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: text } }] }],
    ...rest,
  });
const json = { format: { case: "json" as const, value: { schema: '{"type":"object","required":["a"]}' } } };
const usage = { promptTokens: 100, cachedPromptTokens: 0, completionTokens: 10, reasoningTokens: 0 };
const failing = (kind: UpstreamErrorKind, rest = {}) => ({ failure: { kind, httpStatus: 500, ...rest } });

const complete = (ports: TestPorts, input: Parameters<typeof runCall>[2], call: Call = testCall()) =>
  createPipeline(ports).complete(call, input);

async function failureOf(attempt: Promise<unknown>): Promise<Failure> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof SluiceError) return error.failure;
    throw error;
  }
  return assert.fail("it succeeded");
}

const callRow = (ports: TestPorts) =>
  ports.records.filter((record): record is CallFinished => record.type === "call_finished");

describe("a call", () => {
  it("answers, says what it cost, and writes attempt, outcome and call in that order", async () => {
    const chat = scriptedModel({ deltas: ["Hello ", "there"], end: { usage, servedModel: "gpt-test-0101" } });
    const ports = pipelinePorts([target({ chat })]);
    const completion = await complete(ports, ask("hi", { attribution: { feature: "search", user: "u1" } }));
    assert.equal(completion.text, "Hello there");
    assert.equal(completion.finishReason, FinishReason.STOP);
    assert.equal(completion.providerModel, "gpt-test-0101");
    assert.equal(completion.costNanoUsd, 120n);
    assert.equal(completion.attempts.length, 1);
    assert.deepEqual(
      ports.records.map((record) => record.type),
      ["attempt_started", "attempt_finished", "call_finished"],
    );
    const [row] = callRow(ports);
    assert.deepEqual(
      [row?.tenant, row?.feature, row?.user, row?.cost_nano_usd, row?.cache_status, row?.error_reason],
      ["acme", "search", "u1", "120", "miss", ""],
    );
  });

  it("has one log line, without a word of its texts", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel({ deltas: ["the answer"] }) })]);
    await complete(ports, ask("a secret question"));
    const lines = ports.lines.filter((line) => line.event === "llm_call");
    assert.equal(lines.length, 1);
    assert.match(String(lines[0]?.fields.input_hash), /^[0-9a-f]{64}$/);
    assert.doesNotMatch(JSON.stringify(ports.lines), /secret|answer"/);
  });

  it("is answered from memory the second time: no request, no cost, and what was saved", async () => {
    const chat = scriptedModel({ deltas: ["once"], end: { usage } });
    const ports = pipelinePorts([target({ chat })]);
    const first = await complete(ports, ask("q"));
    const second = await complete(ports, ask("q"), testCall({ id: "another" }));
    assert.equal(chat.requests.length, 1);
    assert.equal(second.text, first.text);
    assert.equal(second.cacheStatus, CacheStatus.MEMORY_HIT);
    assert.deepEqual([second.costNanoUsd, second.savedNanoUsd, second.attempts.length], [0n, 120n, 0]);
    assert.equal(second.callId, "another");
    assert.equal(callRow(ports)[1]?.cache_status, "memory_hit");
  });

  it("never sees another tenant's answer", async () => {
    const chat = scriptedModel({ deltas: ["x"] });
    const ports = pipelinePorts([target({ chat })]);
    await complete(ports, ask("q"));
    await complete(ports, ask("q"), testCall({ caller: { tenant: "other", keyId: "k", isAdmin: false } }));
    assert.equal(chat.requests.length, 2);
  });

  it("keeps to its cache mode", async () => {
    const chat = scriptedModel({ deltas: ["x"] });
    const ports = pipelinePorts([target({ chat })]);
    const mode = (value: CacheMode) => ({ cache: { mode: value } });
    assert.equal((await failureOf(complete(ports, ask("q", mode(CacheMode.ONLY_IF_CACHED))))).reason, "CACHE_MISS");
    assert.equal((await complete(ports, ask("q", mode(CacheMode.BYPASS)))).cacheStatus, CacheStatus.BYPASSED);
    assert.equal((await complete(ports, ask("q"))).cacheStatus, CacheStatus.MISS);
    assert.equal((await complete(ports, ask("q", mode(CacheMode.REFRESH)))).cacheStatus, CacheStatus.MISS);
    assert.equal(chat.requests.length, 3);
    const cached = await complete(ports, ask("q", mode(CacheMode.ONLY_IF_CACHED)));
    assert.equal(cached.cacheStatus, CacheStatus.MEMORY_HIT);
  });

  it("joins an identical call under way; only the one who started it pays", async () => {
    const gate = Promise.withResolvers<void>();
    const chat = scriptedModel({ hold: gate.promise, deltas: ["shared"], end: { usage } });
    const ports = pipelinePorts([target({ chat })]);
    const calls = Array.from({ length: 5 }, (_, i) => complete(ports, ask("q"), testCall({ id: `call-${i}` })));
    await new Promise(setImmediate);
    gate.resolve();
    const completions = await Promise.all(calls);
    assert.equal(chat.requests.length, 1);
    assert.deepEqual(
      completions.map((c) => c.costNanoUsd),
      [120n, 0n, 0n, 0n, 0n],
    );
    assert.deepEqual(
      completions.map((c) => c.cacheStatus),
      [1, 4, 4, 4, 4],
    );
  });

  it("does not cache what is cut, filtered, or came from a fallback", async () => {
    const cut = scriptedModel({ deltas: ["cut"], end: { finish: "length" } });
    const cutPorts = pipelinePorts([target({ chat: cut })]);
    assert.equal((await complete(cutPorts, ask("q"))).finishReason, FinishReason.LENGTH);
    await complete(cutPorts, ask("q"));
    assert.equal(cut.requests.length, 2);

    const other = scriptedModel({ deltas: ["from the other"] });
    const down = target({ chat: scriptedModel(failing("quota_exhausted")), fallbacks: ["other"] });
    const fallbackPorts = pipelinePorts([down, target({ alias: "other", chat: other })]);
    assert.equal((await complete(fallbackPorts, ask("q"))).model, "other");
    await complete(fallbackPorts, ask("q"));
    assert.equal(other.requests.length, 2);
  });

  it("charges every attempt once, failed ones too, and lists them", async () => {
    const clock = fakeClock();
    const chat = scriptedModel(
      failing("overloaded"),
      { deltas: ["lost"], ...failing("stream_interrupted") },
      { deltas: ["ok"], end: { usage } },
    );
    const ports = pipelinePorts([target({ chat })], { clock });
    const completion = await complete(ports, ask("one two three"));
    assert.deepEqual(
      completion.attempts.map((a) => [a.number, a.errorReason]),
      [
        [1, 13],
        [2, 15],
        [3, 0],
      ],
    );
    assert.equal(completion.usage?.estimated, true);
    // 3 words, 3 for the message and 3 for the prompt, and the one word that was lost; then what was reported.
    assert.equal(completion.usage?.promptTokens, 9n + 100n);
    assert.equal(completion.usage?.completionTokens, 1n + 10n);
    assert.equal(clock.sleeps.length, 2);
    const ids = ports.records.map((record) => `${record.type}${"attempt" in record ? record.attempt : ""}`);
    assert.equal(new Set(ids).size, ids.length);
  });

  it("leaves an unknown price unknown", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel({ deltas: ["x"], end: { usage } }) })], { price: null });
    assert.equal((await complete(ports, ask("q"))).costNanoUsd, undefined);
    assert.equal(callRow(ports)[0]?.cost_nano_usd, null);
  });

  it("is not sent when its start cannot be recorded", async () => {
    const chat = scriptedModel({ deltas: ["x"] });
    const ports = pipelinePorts([target({ chat })], { refuse: () => true });
    assert.equal((await failureOf(complete(ports, ask("q")))).reason, "STORE_UNAVAILABLE");
    assert.equal(chat.requests.length, 0);
  });

  it("keeps to its budget of attempts, whatever the causes", async () => {
    const chat = scriptedModel(
      failing("json_mode_refused"),
      failing("overloaded"),
      failing("output_limit_invalid"),
      failing("unknown"),
    );
    const ports = pipelinePorts([target({ chat })], { maxAttempts: 3 });
    assert.equal((await failureOf(complete(ports, ask("q", { output: json })))).reason, "PROVIDER_MISCONFIGURED");
    assert.equal(chat.requests.length, 3);
  });

  it("fails at once with the true wait where the wait does not fit", async () => {
    const clock = fakeClock();
    const ports = pipelinePorts([target({ chat: scriptedModel(failing("rate_limited", { waitMs: 86_400_000 })) })], {
      clock,
    });
    const failure = await failureOf(complete(ports, ask("q")));
    assert.ok(failure.reason === "RATE_LIMITED" && failure.retryAfterMs === 86_400_000);
    assert.deepEqual(clock.sleeps, []);
  });

  it("shortens what the provider finds too long, and says what went", async () => {
    const chat = scriptedModel(failing("context_overflow"), { deltas: ["ok"] });
    const ports = pipelinePorts([target({ chat })]);
    const chunks = [1, 2, 3, 4].map((n) => ({ id: `c${n}`, text: "word ".repeat(50), score: n }));
    const completion = await complete(ports, ask("q", { context: { chunks } }));
    assert.deepEqual(completion.truncation?.droppedChunkIds, ["c1", "c2"]);
    assert.ok(JSON.stringify(chat.requests[1]?.messages).length < JSON.stringify(chat.requests[0]?.messages).length);
  });

  it("asks for more tokens when JSON is cut, and never closes it itself", async () => {
    const chat = scriptedModel(
      { deltas: ['{"a":'], end: { finish: "length" } },
      { deltas: ['{"a":', "1}"], end: { finish: "stop" } },
    );
    const ports = pipelinePorts([target({ chat })]);
    assert.equal((await complete(ports, ask("q", { output: json }))).text, '{"a":1}');
    assert.deepEqual(
      chat.requests.map((r) => r.sampling.maxOutputTokens),
      [100, 200],
    );
  });

  it("says what is wrong with an answer that breaks the schema", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel({ deltas: ['{"b":2}'] }) })], { maxCorrections: 0 });
    const failure = await failureOf(complete(ports, ask("q", { output: json })));
    assert.ok(failure.reason === "PARSE_FAILURE");
    assert.equal(failure.violations[0]?.rule, "required");
    assert.equal(failure.excerpt, '{"b":2}');
    assert.equal(failure.attempts.length, 1);
  });

  it("stops its work when the caller leaves, and still charges what was sent", async () => {
    const chat = scriptedModel({ hold: new Promise(() => {}) });
    const ports = pipelinePorts([target({ chat })]);
    const call = testCall();
    const attempt = complete(ports, ask("one two"), call);
    await new Promise(setImmediate);
    call.leave();
    assert.equal((await failureOf(attempt)).reason, "CANCELLED");
    assert.equal(chat.aborted.length, 1);
    const finished = ports.records.find((record) => record.type === "attempt_finished");
    assert.ok(finished?.type === "attempt_finished" && finished.usage_estimated && finished.prompt_tokens > 0);
    assert.equal(callRow(ports)[0]?.error_reason, "CANCELLED");
    assert.equal(ports.flights.size, 0);
  });

  it("says so when its deadline is over", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel({ hold: new Promise(() => {}) }) })]);
    const call = testCall({ deadline: { remainingMs: () => 0 } });
    const attempt = complete(ports, ask("q"), call);
    await new Promise(setImmediate);
    call.leave();
    const failure = await failureOf(attempt);
    assert.ok(failure.reason === "DEADLINE_EXCEEDED" && failure.stage === 4 && failure.attempts.length === 1);
  });
});

describe("the events of a call", () => {
  async function events(ports: TestPorts, input: Parameters<typeof runCall>[2]): Promise<CallEvent[]> {
    const all: CallEvent[] = [];
    for await (const event of runCall(ports, testCall(), input)) all.push(event);
    return all;
  }

  /** What a client shows that follows the rules of the contract. */
  function shownText(all: readonly CallEvent[]): string {
    return all.reduce((text, e) => (e.kind === "delta" ? text + e.text : e.kind === "restarted" ? "" : text), "");
  }

  it("begin with where the answer comes from, and end with all of it", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel({ deltas: ["a", "b"] }) })]);
    const live = await events(ports, ask("q"));
    assert.deepEqual(
      live.map((e) => e.kind),
      ["started", "delta", "delta", "finished"],
    );
    const cached = await events(ports, ask("q"));
    assert.deepEqual(
      cached.map((e) => e.kind),
      ["started", "delta", "finished"],
    );
    assert.equal(shownText(cached), "ab");
  });

  it("declare deltas void when the answer is made anew", async () => {
    const chat = scriptedModel({ deltas: ["lost"], ...failing("stream_interrupted") }, { deltas: ["kept"] });
    const all = await events(pipelinePorts([target({ chat })]), ask("q"));
    assert.deepEqual(
      all.map((e) => e.kind),
      ["started", "delta", "restarted", "delta", "finished"],
    );
    assert.equal(shownText(all), "kept");
  });

  it("end with deltas that are the validated value, also where prose was around it", async () => {
    const chat = scriptedModel({ deltas: ["Here you are: ", '{"a": 1}'] });
    const all = await events(pipelinePorts([target({ chat })]), ask("q", { output: json }));
    const restarted = all.find((e) => e.kind === "restarted");
    assert.ok(restarted?.kind === "restarted" && restarted.cause === RestartCause.REPAIR);
    assert.equal(shownText(all), '{"a": 1}');
    const last = all.at(-1);
    assert.ok(last?.kind === "finished" && last.completion.text === '{"a": 1}');
  });

  it("are preceded by nothing when the first attempt fails before its first delta", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel(failing("quota_exhausted")) })]);
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const event of runCall(ports, testCall(), ask("q"))) seen.push(event.kind);
    });
    assert.deepEqual(seen, []);
  });

  it("report the call when the reader stops in the middle", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel({ deltas: ["a", "b", "c"] }) })]);
    for await (const event of runCall(ports, testCall(), ask("q"))) if (event.kind === "delta") break;
    assert.equal(callRow(ports).length, 1);
    assert.equal(callRow(ports)[0]?.error_reason, "CANCELLED");
  });
});
