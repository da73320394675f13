import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { Health } from "../../gen/health/v1/health_pb.ts";
import { PipelineService, StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { fakePipeline } from "./support/fake-ports.ts";
import { GrpcClient } from "./support/grpc-client.ts";
import { until } from "./support/in-memory.ts";
import { closeRawConnections, rawConnection } from "./support/raw-socket.ts";
import { closeServers, startTestServer } from "./support/test-server.ts";

/** A pipeline whose answers wait until they are let go. */
function heldPipeline() {
  const gate = Promise.withResolvers<void>();
  const inner = fakePipeline();
  const pipeline = fakePipeline({
    complete: (call, input) => gate.promise.then(() => inner.complete(call, input)),
    async *stream() {
      yield create(StreamCompleteResponseSchema, { event: { case: "started", value: {} } });
      await gate.promise;
      yield create(StreamCompleteResponseSchema, { event: { case: "finished", value: {} } });
    },
  });
  return { pipeline, letGo: gate.resolve };
}

const json = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };

describe("draining", () => {
  afterEach(async () => {
    closeRawConnections();
    await closeServers();
  });

  it("lets calls under way finish on both versions of HTTP, takes no new ones, and ends clean", async () => {
    const { pipeline, letGo } = heldPipeline();
    const server = await startTestServer({ ports: { pipeline } });
    const client = new GrpcClient(server);
    const idle = await rawConnection(server);
    const calls = Promise.all([
      client.call(PipelineService.method.complete, {}),
      client.call(PipelineService.method.streamComplete, {}),
      fetch(`${server.url}/sluice.v1.PipelineService/Complete`, json),
    ]);
    await until(() => server.calls.inFlight() === 3);
    const drained = server.drain(5000);
    await idle.closed;
    await assert.rejects(rawConnection(server), /ECONNREFUSED/);
    letGo();
    const [unary, stream, connect] = await calls;
    assert.deepEqual([unary.code, stream.code, stream.messages.length, connect.status], [status.OK, status.OK, 2, 200]);
    assert.deepEqual(await drained, { clean: true });
    client.close();
  });

  it("tells HTTP/2 clients to open no more streams", async () => {
    const { pipeline, letGo } = heldPipeline();
    const server = await startTestServer({ ports: { pipeline } });
    const session = connectHttp2(server.url);
    const stream = session.request({
      ":method": "POST",
      ":path": "/sluice.v1.PipelineService/Complete",
      "content-type": "application/json",
    });
    stream.end("{}");
    await until(() => server.calls.inFlight() === 1);
    const goAway = once(session, "goaway");
    const drained = server.drain(5000);
    await goAway;
    const late = session.request({ ":path": "/" });
    await assert.rejects(once(late, "response"), /GOAWAY|refused|closed|cancel/i);
    letGo();
    stream.resume();
    assert.deepEqual(await drained, { clean: true });
  });

  it("cuts off what does not finish in time, aborts its signal, and says so", async () => {
    const { pipeline } = heldPipeline();
    const server = await startTestServer({ ports: { pipeline } });
    const client = new GrpcClient(server);
    const call = client.call(PipelineService.method.complete, {});
    await until(() => server.calls.inFlight() === 1);
    assert.deepEqual(await server.drain(50), { clean: false });
    assert.notEqual((await call).code, status.OK);
    await until(() => pipeline.calls[0]?.signal.aborted === true);
    client.close();
  });

  it("is not held up by health watches, which are told and ended", async () => {
    const server = await startTestServer();
    const client = new GrpcClient(server);
    const seen: unknown[] = [];
    const watch = client.call(Health.method.watch, {}, { onMessage: () => seen.push(1) });
    await until(() => seen.length === 1);
    server.health.setDraining();
    const { code, messages } = await watch;
    assert.deepEqual([code, messages.map((message) => message.status)], [status.OK, [1, 2]]);
    assert.deepEqual(await server.drain(5000), { clean: true });
    client.close();
  });

  it("and closing may be asked for twice", async () => {
    const server = await startTestServer();
    await Promise.all([server.drain(100), server.drain(100), server.close(), server.close()]);
    await server.close();
  });
});

describe("starting", () => {
  afterEach(closeServers);

  it("says the address, and fails where it is taken", async () => {
    const server = await startTestServer();
    assert.equal(server.url, `http://127.0.0.1:${server.port}`);
    await assert.rejects(startTestServer({ port: server.port }), /EADDRINUSE/);
  });

  it("writes IPv6 addresses as URLs have them", async () => {
    const server = await startTestServer({ host: "::1" });
    assert.match(server.url, /^http:\/\/\[::1\]:\d+$/);
    assert.equal((await fetch(`${server.url}/nope`)).status, 404);
  });
});
