import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { Circuit } from "../../gen/sluice/v1/model_pb.ts";
import { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import { GrpcCaller } from "../support/grpc-caller.ts";
import {
  chunk,
  events,
  type ScriptedUpstream,
  startScriptedUpstream,
  usageChunk,
} from "../support/scripted-upstream.ts";
import { type CallResult, PipelineCaller } from "./grpc-calls.ts";
import { type Measured, type MeasuredService, startMeasuredService } from "./measured-service.ts";
import { outcomesOf } from "./outcome.ts";
import type { Input } from "./scenario-input.ts";

const STREAMS = 200;
const PIECES = 40;
const PIECE = "a piece of the answer, ";

/** An answer that takes two seconds. */
const slowly = events([
  ...Array.from({ length: PIECES }, () => ({ ...chunk({ content: PIECE }), every_ms: 50 })),
  chunk({}, "stop"),
  usageChunk(),
  { data: "[DONE]" },
]);

const input: Input = {
  model: "slow",
  messages: [{ role: Role.USER, content: [{ content: { case: "text", value: "Tell it slowly." } }] }],
  cache: { mode: CacheMode.BYPASS },
};

describe("a provider that is killed and revived under 200 concurrent streams", function () {
  this.timeout(60_000);
  let upstream: ScriptedUpstream;
  let service: MeasuredService;
  let caller: PipelineCaller;
  let models: GrpcCaller;

  before(async () => {
    upstream = await startScriptedUpstream(slowly);
    service = await startMeasuredService({
      providers: { main: { base_url: `${upstream.url}/v1`, api_key: "sk-kill", max_concurrency: STREAMS } },
      models: { slow: { provider: "main", model: "slow-1", context_tokens: 8192, max_output_tokens: 1024 } },
      retry: { max_attempts: 3, backoff_base_ms: 50, backoff_max_ms: 200 },
    });
    caller = new PipelineCaller(service.address);
    models = new GrpcCaller(service.address);
  });

  after(async () => {
    caller.close();
    models.close();
    const { clean } = await service.stop();
    await upstream.close();
    assert.ok(clean, "the service ends clean");
  });

  const circuit = async () => {
    const { models: listed } = await models.unary(ModelService.method.listModels, {});
    return listed.find(({ name }) => name === "slow")?.state?.circuit;
  };

  /** 200 streams; where `kill` is given the provider dies when all of them have begun to get their answer. */
  const round = async (kill?: () => Promise<void>): Promise<readonly CallResult[]> => {
    const before = upstream.calls.length;
    const streams = Array.from({ length: STREAMS }, () => caller.stream(input, { deadlineMs: 20_000 }));
    if (kill) {
      await upstream.received(before + STREAMS);
      await pause(300);
      await kill();
    }
    return Promise.all(streams);
  };

  const revived = async () => {
    await upstream.revive();
    const endAt = performance.now() + 15_000;
    while (performance.now() < endAt) {
      const [outcome] = outcomesOf(await caller.stream(input, { deadlineMs: 5_000 }));
      if (outcome === "OK") return;
      await pause(100);
    }
    assert.fail("no call succeeded after the provider was back");
  };

  it("ends every stream once, shows the circuit, recovers, and keeps no memory of it", async () => {
    // The same twice: what the first round loads, compiles and grows to its working size is no leak.
    let before: Measured | undefined;
    for (const lap of ["warm", "measured"]) {
      for (const result of await round()) {
        assert.equal(result.completion?.text, PIECE.repeat(PIECES), `a whole answer, ${lap}`);
      }
      if (lap === "measured") before = await service.measure();
      const results = await round(() => upstream.kill());
      assert.equal(results.length, STREAMS);
      for (const result of results) checkEnd(result);
      assert.equal(await circuit(), Circuit.OPEN);
      await revived();
      assert.equal(await circuit(), Circuit.CLOSED);
    }
    for (const result of await round()) assert.deepEqual(outcomesOf(result), ["OK"]);
    const after = await service.measure();
    assert.deepEqual(after.faults, []);
    assert.ok(before);
    for (const kind of ["rss", "live"] as const) {
      const growth = after[kind] / before[kind] - 1;
      console.log(`      ${kind} after GC: ${mb(before[kind])} MB, then ${mb(after[kind])} MB (${percent(growth)})`);
      assert.ok(growth <= 0.1, `${kind} grew by ${percent(growth)}`);
    }
    assert.ok(upstream.openConnections <= STREAMS, "idle connections are bounded");
  });
});

/** Exactly one end: a Finished with the whole text, or an error status after whatever came. */
function checkEnd(result: CallResult): void {
  const kinds = result.events.map(({ event }) => event.case);
  const [outcome] = outcomesOf(result);
  assert.ok(outcome === "OK" || outcome === "UPSTREAM_UNAVAILABLE", `${outcome}: ${result.failure?.detailText}`);
  assert.equal(kinds.filter((kind) => kind === "finished").length, outcome === "OK" ? 1 : 0);
  assert.ok(kinds.includes("textDelta"), "it was in mid-stream");
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
