import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { InterruptedDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import { PipelineService, StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { PromptService } from "../../gen/sluice/v1/prompt_service_pb.ts";
import { fakePipeline } from "./support/fake-ports.ts";
import { detailsOf, GrpcClient } from "./support/grpc-client.ts";
import { until } from "./support/in-memory.ts";
import { closeServers, startTestServer, type TestServerOptions } from "./support/test-server.ts";

const { complete, streamComplete } = PipelineService.method;
const clients: GrpcClient[] = [];

async function start(options: TestServerOptions = {}) {
  const server = await startTestServer(options);
  const client = new GrpcClient(server);
  clients.push(client);
  return { server, client };
}

describe("a gRPC client", () => {
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await closeServers();
  });

  it("gets answers, with the call id in the header", async () => {
    const { client } = await start();
    const { code, messages, header } = await client.call(complete, { input: {} });
    assert.equal(code, status.OK);
    assert.equal(messages[0]?.completion?.callId, header.get("sluice-call-id")[0]);
  });

  it("gets streams in order", async () => {
    const { client } = await start();
    const { code, messages } = await client.call(streamComplete, {});
    assert.equal(code, status.OK);
    assert.deepEqual(
      messages.map(({ event }) => event.case),
      ["started", "textDelta", "finished"],
    );
  });

  it("gets errors with code, message, details and pushback in the trailers", async () => {
    const { client } = await start();
    const { code, message, trailer, header } = await client.call(PromptService.method.getPrompt, { name: "nope" });
    assert.equal(code, status.NOT_FOUND);
    assert.match(message, /no such prompt/);
    assert.equal(trailer.get("grpc-retry-pushback-ms")[0], "-1");
    const details = detailsOf(trailer);
    assert.equal(details.reason, "UNKNOWN_PROMPT");
    assert.equal(details.callId, header.get("sluice-call-id")[0]);
  });

  it("gets our DEADLINE_EXCEEDED, with its details, before its own timer ends the call", async () => {
    const pipeline = fakePipeline({ complete: () => new Promise(() => {}) });
    const { client } = await start({ ports: { pipeline } });
    const { code, trailer } = await client.call(complete, {}, { metadata: { "grpc-timeout": "400m" } });
    assert.equal(code, status.DEADLINE_EXCEEDED);
    const details = detailsOf(trailer);
    assert.equal(details.reason, "DEADLINE_EXCEEDED");
    assert(details.find(InterruptedDetailSchema));
  });

  for (const timeout of ["0S", "1n", "0m"]) {
    it(`gets DEADLINE_EXCEEDED for a grpc-timeout of ${timeout}`, async () => {
      const pipeline = fakePipeline({ complete: () => new Promise(() => {}) });
      const { client } = await start({ ports: { pipeline } });
      const { code, trailer } = await client.call(complete, {}, { metadata: { "grpc-timeout": timeout } });
      assert.equal(code, status.DEADLINE_EXCEEDED);
      assert.equal(detailsOf(trailer).reason, "DEADLINE_EXCEEDED");
    });
  }

  it("may ask for an enormous timeout, which is cut to the maximum", async () => {
    const pipeline = fakePipeline();
    const { client } = await start({ ports: { pipeline }, maxDeadlineMs: 7000 });
    const { code } = await client.call(complete, {}, { metadata: { "grpc-timeout": "99999999H" } });
    assert.equal(code, status.OK);
    assert((pipeline.calls[0]?.deadline.remainingMs() ?? Number.NaN) <= 7000);
  });

  it("is told that a malformed timeout is one", async () => {
    const { client } = await start();
    const { code, trailer } = await client.call(complete, {}, { metadata: { "grpc-timeout": "soon" } });
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.deepEqual(detailsOf(trailer).fields, ["grpc-timeout"]);
  });

  it("ends the work when it cancels, before the answer and in the middle of it", async () => {
    const started = create(StreamCompleteResponseSchema, { event: { case: "started", value: {} } });
    const pipeline = fakePipeline({
      complete: () => new Promise(() => {}),
      async *stream(call) {
        yield started;
        await new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason)));
      },
    });
    const { client, server } = await start({ ports: { pipeline } });
    const onStart = (cancel: () => void) => void until(() => server.calls.inFlight() === 1).then(cancel);
    assert.equal((await client.call(complete, {}, { onStart })).code, status.CANCELLED);
    assert.equal((await client.call(streamComplete, {}, { onMessage: (cancel) => cancel() })).code, status.CANCELLED);
    await until(() => server.calls.inFlight() === 0);
    assert(pipeline.calls.every(({ signal }) => signal.aborted));
    assert.deepEqual(
      server.log.lines.filter(({ event }) => event === "internal_error"),
      [],
    );
  });

  it("may send a message of the limit, and gets RESOURCE_EXHAUSTED for one byte more", async () => {
    const { client } = await start({ limits: { messageBytes: 4096 } });
    // Two tags and two two-byte lengths around the text.
    const withText = (length: number) => ({ input: { model: "m".repeat(length) } });
    assert.equal((await client.call(complete, withText(4096 - 6))).code, status.OK);
    assert.equal((await client.call(complete, withText(4097 - 6))).code, status.RESOURCE_EXHAUSTED);
    assert.equal((await client.call(complete, withText(1_000_000))).code, status.RESOURCE_EXHAUSTED);
  });

  it("gets answers of the limit, and RESOURCE_EXHAUSTED for a longer one", async () => {
    let length = 4096 - 6;
    const pipeline = fakePipeline({ complete: async () => create(CompletionSchema, { text: "t".repeat(length) }) });
    const { client } = await start({ ports: { pipeline }, limits: { responseBytes: 4096 } });
    assert.equal((await client.call(complete, {})).code, status.OK);
    length += 1;
    assert.equal((await client.call(complete, {})).code, status.RESOURCE_EXHAUSTED);
  });

  for (const [kind, bytes] of [
    ["a cut message", [10, 30, 26]],
    ["a wrong wire type", [0x0f]],
    ["text that is not UTF-8", [10, 3, 26, 1, 0xff]],
  ] as const) {
    it(`gets INVALID_REQUEST for ${kind}`, async () => {
      const { client, server } = await start();
      const { code, trailer } = await client.callRaw(complete, Uint8Array.from(bytes));
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.equal(detailsOf(trailer).reason, "INVALID_REQUEST");
      const stream = await client.callRaw(streamComplete, Uint8Array.from(bytes));
      assert.equal(detailsOf(stream.trailer).reason, "INVALID_REQUEST");
      assert.deepEqual(
        server.log.lines.map(({ event, fields }) => [event, fields.rpc, fields.reason]),
        ["Complete", "StreamComplete"].map((method) => [
          "call_refused",
          `sluice.v1.PipelineService/${method}`,
          "INVALID_REQUEST",
        ]),
      );
    });
  }

  it("gets UNIMPLEMENTED in the trailers for unknown methods and services", async () => {
    const { client } = await start();
    const method = { ...complete, name: "Nope", parent: PipelineService };
    const { code, message } = await client.call(method, {});
    assert.equal(code, status.UNIMPLEMENTED);
    assert.match(message, /nothing here/);
  });

  it("may compress, and large answers come compressed where it accepts that", async () => {
    const server = await startTestServer({
      ports: {
        pipeline: fakePipeline({ complete: async () => create(CompletionSchema, { text: "t".repeat(100_000) }) }),
      },
    });
    const client = new GrpcClient(server, { "grpc.default_compression_algorithm": 2 });
    clients.push(client);
    const { code, messages } = await client.call(complete, { input: { model: "m".repeat(5000) } });
    assert.equal(code, status.OK);
    assert.equal(messages[0]?.completion?.text.length, 100_000);
  });

  it("cannot blow up memory with a compressed message", async () => {
    const { server } = await start({ limits: { messageBytes: 64 * 1024 } });
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const response = await fetch(`${server.url}/sluice.v1.PipelineService/Complete`, {
      method: "POST",
      headers: { "content-type": "application/proto", "content-encoding": "gzip" },
      body: bomb.subarray(0, 64 * 1024),
    });
    assert.match(await response.text(), /"code":"(?:resource_exhausted|invalid_argument)"/);
    const small = await fetch(`${server.url}/sluice.v1.PipelineService/Complete`, {
      method: "POST",
      headers: { "content-type": "application/proto", "content-encoding": "gzip" },
      body: gzipSync(Buffer.alloc(1024 * 1024)),
    });
    assert.match(await small.text(), /"code":"resource_exhausted"/);
  });
});
