import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { InterruptedDetailSchema, LoadDetailSchema, Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import { PipelineService, StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../../src/core/call.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { fakePipeline } from "./support/fake-ports.ts";
import { collect, failureOf, inMemory, until } from "./support/in-memory.ts";

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A handler that heeds nothing. */
const hang = () => new Promise<never>(() => {});

/** A handler that heeds the call's signal. */
const untilAborted = (call: Call) =>
  new Promise<never>((_, reject) => {
    call.signal.addEventListener("abort", () => reject(call.signal.reason), { once: true });
  });

describe("PipelineService", () => {
  it("hands each method its call, whose id is the header's", async () => {
    const pipeline = fakePipeline();
    const client = inMemory({ ports: { pipeline } }).client(PipelineService);
    let header: string | null = null;
    const response = await client.complete({ input: {} }, { onHeader: (h) => (header = h.get("sluice-call-id")) });
    assert.equal(response.completion?.callId, header);
    assert.match(String(header), UUID_7);
    await collect(client.streamComplete({}));
    assert.equal((await client.explain({})).explanation?.model, "fast");
    assert.deepEqual(
      pipeline.calls.map(({ method, caller }) => [method, caller.tenant]),
      [
        ["Complete", "local"],
        ["StreamComplete", "local"],
        ["Explain", "local"],
      ],
    );
    assert.equal(new Set(pipeline.calls.map(({ id }) => id)).size, 3);
  });

  it("passes the events of a stream on in order", async () => {
    const events = await collect(inMemory().client(PipelineService).streamComplete({}));
    assert.deepEqual(
      events.map(({ event }) => event.case),
      ["started", "textDelta", "finished"],
    );
  });

  it("knows the tenant by the credential, and lets nobody in without one", async () => {
    const pipeline = fakePipeline();
    const apiKeys = [{ id: "billing", tenant: "acme", sha256: createHash("sha256").update("k").digest("hex") }];
    const client = inMemory({ ports: { pipeline }, apiKeys }).client(PipelineService);
    await client.complete({}, { headers: { authorization: "Bearer k" } });
    assert.deepEqual(pipeline.calls[0]?.caller, { tenant: "acme", keyId: "billing", isAdmin: false });
    const { error, reason, callId } = await failureOf(client.complete({}));
    assert.deepEqual([error.code, reason], [Code.Unauthenticated, "UNAUTHENTICATED"]);
    assert.equal(error.metadata.get("sluice-call-id"), callId);
    assert.equal((await failureOf(collect(client.streamComplete({})))).reason, "UNAUTHENTICATED");
    assert.equal(pipeline.calls.length, 1);
  });

  it("tells deliberate failures with their details, before a stream and in the middle of one", async () => {
    const failure = new SluiceError({ reason: "CACHE_MISS", key: "abc" });
    const pipeline = fakePipeline({
      complete: () => Promise.reject(failure),
      async *stream(_call, input) {
        if (input) yield create(StreamCompleteResponseSchema, { event: { case: "started", value: {} } });
        throw failure;
      },
    });
    const { client, log } = inMemory({ ports: { pipeline } });
    const service = client(PipelineService);
    assert.equal((await failureOf(service.complete({}))).reason, "CACHE_MISS");
    assert.equal((await failureOf(collect(service.streamComplete({})))).reason, "CACHE_MISS");
    const seen: unknown[] = [];
    const midway = await failureOf(
      (async () => {
        for await (const { event } of service.streamComplete({ input: {} })) seen.push(event.case);
      })(),
    );
    assert.deepEqual(seen, ["started"]);
    assert.equal(midway.reason, "CACHE_MISS");
    assert.equal(midway.error.metadata.get("grpc-retry-pushback-ms"), "-1");
    assert.deepEqual(log.lines, []);
  });

  for (const bug of [new TypeError("secret of the database"), "a text", undefined]) {
    it(`keeps a bug (${bug instanceof Error ? bug.name : typeof bug}) to the log, and tells only the call id`, async () => {
      const pipeline = fakePipeline({
        complete: () => Promise.reject(bug),
        // biome-ignore lint/correctness/useYield: it fails before it yields
        async *stream() {
          throw bug;
        },
      });
      const { client, log } = inMemory({ ports: { pipeline } });
      const service = client(PipelineService);
      for (const call of [() => service.complete({}), () => collect(service.streamComplete({}))]) {
        const { error, reason, callId } = await failureOf(call());
        assert.deepEqual([error.code, reason], [Code.Internal, "INTERNAL"]);
        assert(!error.message.includes("secret"));
        const line = log.lines.at(-1);
        assert.deepEqual([line?.event, line?.fields.call_id, line?.fields.error], ["internal_error", callId, bug]);
      }
    });
  }

  it("lets a handler say in its own error how far it came when the deadline ended it", async () => {
    const pipeline = fakePipeline({
      async complete(call) {
        await untilAborted(call).catch(() => {});
        assert.equal(call.deadline.remainingMs(), 0);
        throw new SluiceError({ reason: "DEADLINE_EXCEEDED", stage: Stage.CALL_MODEL, attempts: [] });
      },
    });
    const { error } = await failureOf(
      inMemory({ ports: { pipeline }, deadlineMs: 60 }).client(PipelineService).complete({}),
    );
    assert.equal(error.code, Code.DeadlineExceeded);
    assert.equal(error.findDetails(InterruptedDetailSchema)[0]?.stage, Stage.CALL_MODEL);
  });

  for (const [kind, work] of [
    ["hangs", hang],
    ["passes the signal's reason on", untilAborted],
  ] as const) {
    it(`answers DEADLINE_EXCEEDED in time for a handler that ${kind}`, async () => {
      const pipeline = fakePipeline({
        complete: work,
        // biome-ignore lint/correctness/useYield: it waits before it yields
        async *stream(call) {
          await work(call);
        },
      });
      const { client, setup } = inMemory({ ports: { pipeline }, deadlineMs: 50 });
      const service = client(PipelineService);
      for (const call of [() => service.complete({}), () => collect(service.streamComplete({}))]) {
        const { error, reason } = await failureOf(call());
        assert.deepEqual([error.code, reason], [Code.DeadlineExceeded, "DEADLINE_EXCEEDED"]);
      }
      assert.equal(setup.inFlight(), 0);
    });
  }

  it("cuts the caller's timeout to the configured maximum instead of refusing it", async () => {
    const pipeline = fakePipeline();
    const { client } = inMemory({ ports: { pipeline }, deadlineMs: 5000, maxDeadlineMs: 9000 });
    await client(PipelineService).complete({}, { timeoutMs: 3_600_000 });
    await client(PipelineService).complete({});
    await client(PipelineService).complete({}, { timeoutMs: 2000 });
    const left = pipeline.calls.map(({ deadline }) => deadline.remainingMs());
    for (const [index, most] of [9000, 5000, 2000].entries()) {
      assert((left[index] ?? 0) <= most && (left[index] ?? 0) > most - 1500, String(left[index]));
    }
  });

  it("aborts the call's signal when the caller leaves, and ends the handler's stream", async () => {
    let ended = false;
    const pipeline = fakePipeline({
      async *stream(call) {
        try {
          yield create(StreamCompleteResponseSchema, { event: { case: "started", value: {} } });
          await untilAborted(call);
        } finally {
          ended = true;
        }
      },
    });
    const { client, setup } = inMemory({ ports: { pipeline } });
    const leave = new AbortController();
    await assert.rejects(async () => {
      for await (const _ of client(PipelineService).streamComplete({}, { signal: leave.signal })) leave.abort();
    }, ConnectError);
    await until(() => setup.inFlight() === 0);
    const [call] = pipeline.calls;
    assert(call?.signal.aborted);
    assert(call.signal.reason instanceof SluiceError && call.signal.reason.failure.reason === "CANCELLED");
    assert(ended);
  });

  it("never aborts the signal of a call that ended well", async () => {
    const pipeline = fakePipeline();
    const service = inMemory({ ports: { pipeline } }).client(PipelineService);
    await service.complete({});
    await collect(service.streamComplete({}));
    assert.deepEqual(
      pipeline.calls.map(({ signal }) => signal.aborted),
      [false, false],
    );
  });

  it("takes as many calls at once as allowed, and answers one past it with OVERLOADED and a wait", async () => {
    const gate = Promise.withResolvers<void>();
    const inner = fakePipeline();
    const pipeline = fakePipeline({ complete: (call, input) => gate.promise.then(() => inner.complete(call, input)) });
    const { client, setup } = inMemory({ ports: { pipeline }, maxCalls: 2 });
    const service = client(PipelineService);
    const running = [service.complete({}), service.complete({})];
    await until(() => setup.inFlight() === 2);
    const { error, reason } = await failureOf(service.complete({}));
    assert.deepEqual([error.code, reason], [Code.Unavailable, "OVERLOADED"]);
    const [load] = error.findDetails(LoadDetailSchema);
    assert.deepEqual([load?.resource, load?.limit], ["calls", 2n]);
    assert.equal(error.metadata.get("grpc-retry-pushback-ms"), "1000");
    gate.resolve();
    await Promise.all(running);
    assert.equal(setup.inFlight(), 0);
    await service.complete({});
  });
});
