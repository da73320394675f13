import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import type { SharedCache } from "../../src/core/cache.ts";
import type { Call } from "../../src/core/call.ts";
import { SluiceError } from "../../src/core/failure.ts";
import type { CallFinished } from "../../src/core/ledger.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { fakeClock } from "../support/clock.ts";
import { scriptedModel, target } from "../support/models.ts";
import { pipelinePorts, type TestPorts, testCall } from "../support/pipeline-ports.ts";
import { SharedStore } from "../support/shared-cache.ts";

type Init = Parameters<typeof create<typeof CompletionInputSchema>>[1];

const ask = (text: string, rest: Init = {}) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: text } }] }],
    ...rest,
  });
const usage = { promptTokens: 100, cachedPromptTokens: 0, completionTokens: 10, reasoningTokens: 0 };
const chunks = (...ids: string[]) => ({ chunks: ids.map((id, score) => ({ id, text: "word ".repeat(100), score })) });
const complete = (ports: TestPorts, input: ReturnType<typeof ask>, call: Call = testCall()) =>
  createPipeline(ports).complete(call, input);
const rowOf = (ports: TestPorts, id: string) =>
  ports.records.find((record): record is CallFinished => record.type === "call_finished" && record.call_id === id);
const turn = () => new Promise(setImmediate);

/** A shared layer whose look-ups wait until they are let go. */
function slowShared() {
  const gates: (() => void)[] = [];
  const store = new SharedStore();
  const shared = store.process();
  const layer: SharedCache = {
    ...shared,
    async look(key) {
      const found = await shared.look(key);
      await new Promise<void>((resolve) => gates.push(resolve));
      return found;
    },
  };
  return { layer, letGo: () => gates.splice(0).forEach((open) => void open()) };
}

describe("an answer that is shared", () => {
  it("is cached only where the same request would get the same prompt again", async () => {
    const chat = scriptedModel(
      { failure: { kind: "context_overflow", httpStatus: 400 } },
      { deltas: ['{"a":1}'], end: { finish: "stop" } },
    );
    const ports = pipelinePorts([target({ chat })]);
    const output = { format: { case: "json" as const, value: { schema: '{"type":"object"}' } } };
    const input = () => ask("q", { output, context: chunks("a", "b", "c", "d", "e", "f", "g", "h") });
    const first = await complete(ports, input());
    assert.equal(first.truncation?.droppedChunkIds.length, 4);
    assert.equal((await complete(ports, input())).cacheStatus, CacheStatus.MISS);
  });

  it("tells each caller what was dropped of its own request", async () => {
    const ports = pipelinePorts([target({ chat: scriptedModel({ deltas: ["x"] }) })]);
    const scored = (ids: string[]) => ({
      chunks: ids.map((id) => ({ id, text: "word ".repeat(200), score: Number(id) })),
    });
    const cut = await complete(ports, ask("q", { context: scored(["1", "2", "3", "4", "5"]) }));
    assert.deepEqual(cut.truncation?.droppedChunkIds, ["1"]);
    const whole = await complete(ports, ask("q", { context: scored(["2", "3", "4", "5"]) }));
    assert.equal(whole.cacheStatus, CacheStatus.MEMORY_HIT);
    assert.equal(whole.truncation, undefined);
  });

  it("is never that of an alias with other fallbacks", async () => {
    const us = scriptedModel({ deltas: ["from us"] });
    const down = { failure: { kind: "quota_exhausted" as const, httpStatus: 429 } };
    const gate = Promise.withResolvers<void>();
    const any = target({ alias: "any", chat: scriptedModel({ hold: gate.promise, ...down }), fallbacks: ["us"] });
    const euOnly = target({ alias: "eu-only", chat: scriptedModel(down) });
    const ports = pipelinePorts([any, euOnly, target({ alias: "us", chat: us })]);
    const first = complete(ports, ask("q", { model: "any" }));
    await turn();
    await assert.rejects(complete(ports, ask("q", { model: "eu-only" })));
    gate.resolve();
    assert.equal((await first).text, "from us");
  });

  it("is paid by the call that started it, also when that one leaves before the end", async () => {
    const gate = Promise.withResolvers<void>();
    const ports = pipelinePorts([
      target({ chat: scriptedModel({ hold: gate.promise, deltas: ["x"], end: { usage } }) }),
    ]);
    const leader = testCall({ id: "leader" });
    const leaving = complete(ports, ask("q"), leader);
    await turn();
    const staying = complete(ports, ask("q"), testCall({ id: "follower" }));
    await turn();
    leader.leave();
    await assert.rejects(leaving);
    assert.equal(rowOf(ports, "leader"), undefined);
    gate.resolve();
    assert.equal((await staying).text, "x");
    await ports.activeCalls.idle(1_000);
    assert.equal(rowOf(ports, "leader")?.error_reason, "CANCELLED");
    assert.equal(rowOf(ports, "leader")?.cost_nano_usd, "120");
    assert.equal(rowOf(ports, "follower")?.cost_nano_usd, "0");
  });

  it("is not paid for twice when it arrives while the shared layer is asked", async () => {
    const chat = scriptedModel({ deltas: ["x"], end: { usage } });
    const { layer, letGo } = slowShared();
    const plain = pipelinePorts([target({ chat })]);
    const ports = { ...plain, cache: { ...plain.cache, shared: layer } };
    const both = [complete(ports, ask("q"), testCall({ id: "a" })), complete(ports, ask("q"), testCall({ id: "b" }))];
    await turn();
    letGo();
    await turn();
    letGo();
    const statuses = (await Promise.all(both)).map((completion) => completion.cacheStatus);
    assert.equal(chat.requests.length, 1);
    assert.equal(statuses.filter((status) => status === CacheStatus.MISS).length, 1);
  });

  it("does not live longer in memory than in the shared layer", async () => {
    const clock = fakeClock();
    const chat = scriptedModel({ deltas: ["x"] });
    const { layer, letGo } = slowShared();
    const first = pipelinePorts([target({ chat })], { clock });
    const second = pipelinePorts([target({ chat })], { clock });
    const withShared = (ports: TestPorts) => ({ ...ports, cache: { ...ports.cache, shared: layer } });
    const ask1 = async (ports: TestPorts) => {
      const completion = complete(withShared(ports), ask("q"));
      await turn();
      letGo();
      return (await completion).cacheStatus;
    };
    assert.equal(await ask1(first), CacheStatus.MISS);
    assert.equal(await ask1(second), CacheStatus.SHARED_HIT);
    assert.equal(await ask1(second), CacheStatus.MEMORY_HIT);
    clock.advance(10_001);
    assert.equal(await ask1(second), CacheStatus.SHARED_HIT);
  });

  it("does not keep a caller waiting who has less time than the others", async () => {
    const chat = scriptedModel(
      { failure: { kind: "rate_limited", httpStatus: 429, waitMs: 20_000 } },
      { deltas: ["late"] },
    );
    const woken = Promise.withResolvers<void>();
    const fake = fakeClock();
    const clock = { ...fake, sleep: (ms: number) => woken.promise.then(() => fake.advance(ms)) };
    const ports = pipelinePorts([target({ chat })], { clock });
    const patient = complete(ports, ask("q"), testCall({ id: "patient" }));
    const hasty = complete(ports, ask("q"), testCall({ id: "hasty", deadline: { remainingMs: () => 2_000 } }));
    await assert.rejects(hasty, (error) => {
      assert.ok(error instanceof SluiceError && error.failure.reason === "RATE_LIMITED");
      return error.failure.retryAfterMs === 20_000;
    });
    woken.resolve();
    assert.equal((await patient).text, "late");
  });

  it("leaves no trace of what was not validated", async () => {
    const ports = pipelinePorts([target()]);
    const attribution = { user: "u\0".repeat(1_000_000) };
    await assert.rejects(complete(ports, ask("q", { attribution }), testCall({ id: "bad" })));
    assert.equal(rowOf(ports, "bad")?.user, "");
    assert.ok(JSON.stringify(ports.lines).length < 2_000);
  });
});
