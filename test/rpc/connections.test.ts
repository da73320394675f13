import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { status } from "@grpc/grpc-js";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { serverLimits } from "../../src/rpc/server/limits.ts";
import { fakePipeline } from "./support/fake-ports.ts";
import { GrpcClient } from "./support/grpc-client.ts";
import { until } from "./support/in-memory.ts";
import { closeRawConnections, frame, PREFACE, rawConnection, SETTINGS } from "./support/raw-socket.ts";
import { closeServers, startTestServer, type TestServer } from "./support/test-server.ts";

const COMPLETE = "/sluice.v1.PipelineService/Complete";
const request = (host: string, headers = "") =>
  `POST ${COMPLETE} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n${headers}\r\n{}`;

/** HEADERS of a gRPC call in HPACK: POST, http, then path, authority and content type as literals. */
function grpcHeaders(stream: number): Buffer {
  const literal = (head: number, text: string) => Buffer.concat([Buffer.of(head, text.length), Buffer.from(text)]);
  const block = [literal(0x44, COMPLETE), literal(0x41, "localhost"), literal(0x5f, "application/grpc")];
  return frame(1, 4, stream, Buffer.concat([Buffer.of(0x83, 0x86), ...block]));
}

/** The server has outlived whatever was done to it. */
async function assertAlive(server: TestServer): Promise<void> {
  const response = await fetch(server.url + COMPLETE, {
    method: "POST",
    body: "{}",
    headers: { "content-type": "application/json", connection: "close" },
  });
  assert.equal(response.status, 200);
}

describe("connections", () => {
  afterEach(async () => {
    closeRawConnections();
    await closeServers();
  });

  it("are HTTP/1.1 or HTTP/2 by their first bytes, however these are cut", async () => {
    const server = await startTestServer();
    const http1 = await rawConnection(server);
    for (const byte of request("localhost", "connection: close\r\n")) {
      http1.socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await http1.closed, /^HTTP\/1\.1 200 OK/);
    const http2 = await rawConnection(server);
    for (const byte of Buffer.concat([Buffer.from(PREFACE), SETTINGS])) {
      http2.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // The server's SETTINGS, then its acknowledgement of ours.
    await until(() => http2.received().includes(frame(4, 1, 0).toString("latin1")));
  });

  for (const [kind, bytes] of [
    ["nothing", ""],
    ["a part of the preface", "PRI * HT"],
    ["one letter that both protocols may begin with", "P"],
  ] as const) {
    it(`are closed that sent ${kind} and went silent`, async () => {
      const server = await startTestServer({ limits: { prefaceTimeoutMs: 60 } });
      const { socket, closed } = await rawConnection(server);
      socket.write(bytes);
      assert.equal(await closed, "");
      await assertAlive(server);
    });
  }

  it("are answered 408 and closed when their headers come too slowly", async () => {
    const server = await startTestServer({ limits: { headersTimeoutMs: 100 } });
    const { socket, closed } = await rawConnection(server);
    socket.write("POST / HTTP/1.1\r\nhost: localhost\r\nx-slow: ");
    assert.match(await closed, /^HTTP\/1\.1 408/);
    await assertAlive(server);
  });

  it("are answered and closed when a body comes too slowly, on either version of HTTP", async () => {
    const server = await startTestServer({ limits: { requestTimeoutMs: 80 } });
    const { socket, closed } = await rawConnection(server);
    socket.write(
      `POST ${COMPLETE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
    );
    assert.match(await closed, /^HTTP\/1\.1 400[\s\S]*REQUEST_TIMEOUT/);
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": COMPLETE, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.write(Buffer.of(0, 0, 0, 0, 9));
    const [headers, trailers] = await new Promise<[unknown, Record<string, unknown>]>((resolve) => {
      stream.once("response", (received) => {
        stream.once("trailers", (trailer) => resolve([received, trailer]));
        stream.resume();
      });
    });
    assert(headers);
    assert.equal(trailers["grpc-status"], "3");
    await new Promise((resolve) => stream.once("close", resolve));
    session.close();
    assert.equal(server.calls.inFlight(), 0);
  });

  it("survive garbage: no HTTP at all, broken frames, a frame that is too large, a stream that skips the rules", async () => {
    const server = await startTestServer();
    const http2 = (...frames: Buffer[]) => Buffer.concat([Buffer.from(PREFACE), SETTINGS, ...frames]);
    for (const bytes of [
      Buffer.from("\x16\x03\x01\x02\x00garbage\r\n\r\n"),
      Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
      http2(frame(0, 0, 0, Buffer.alloc(4))),
      http2(frame(0, 0, 1, Buffer.alloc(20_000))),
      http2(frame(1, 4, 1, Buffer.from("not hpack"))),
      http2(frame(8, 0, 0, Buffer.alloc(4))),
      http2(frame(5, 4, 2, Buffer.alloc(8))),
    ]) {
      const { socket, closed } = await rawConnection(server);
      socket.write(bytes);
      await closed;
    }
    await assertAlive(server);
    assert.deepEqual(
      server.log.lines.filter(({ event }) => event === "internal_error"),
      [],
    );
  });

  it("may send headers of the limit, and get 431 for more on HTTP/1.1 and a reset stream on HTTP/2", async () => {
    const server = await startTestServer({ limits: { headerBytes: 4096 } });
    const send = async (length: number) => {
      const { socket, closed } = await rawConnection(server);
      socket.write(request("localhost", `connection: close\r\nx-long: ${"a".repeat(length)}\r\n`));
      return (await closed).slice(0, 12);
    };
    assert.equal(await send(3500), "HTTP/1.1 200");
    assert.equal(await send(4200), "HTTP/1.1 431");
    const client = new GrpcClient(server);
    const call = (length: number) =>
      client.call(PipelineService.method.complete, {}, { metadata: { "x-long": "a".repeat(length) } });
    assert.equal((await call(3000)).code, status.OK);
    assert.notEqual((await call(4200)).code, status.OK);
    client.close();
  });

  it("are as many as allowed, and one past it is closed at once", async () => {
    const server = await startTestServer({ limits: { maxConnections: 2 } });
    const kept = [await rawConnection(server), await rawConnection(server)];
    const { closed } = await rawConnection(server);
    assert.equal(await closed, "");
    for (const { socket } of kept) socket.destroy();
    await until(() => server.log.lines.some(({ event }) => event === "connection_refused"));
    await Promise.all(kept.map((each) => each.closed));
    await until(() => kept.every(({ socket }) => socket.destroyed));
  });

  it("carry as many HTTP/2 streams at once as allowed, and refuse one past it", async () => {
    const pipeline = fakePipeline({ complete: () => new Promise(() => {}) });
    const server = await startTestServer({ ports: { pipeline }, limits: { maxStreams: 2 } });
    const { socket, received } = await rawConnection(server);
    const call = (id: number) => Buffer.concat([grpcHeaders(id), frame(0, 1, id, Buffer.of(0, 0, 0, 0, 0))]);
    socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS, call(1), call(3), call(5)]));
    const refusedStream = frame(3, 0, 5, Buffer.of(0, 0, 0, 7)).toString("latin1");
    await until(() => received().includes(refusedStream));
    await until(() => pipeline.calls.length === 2);
    assert.equal(server.calls.inFlight(), 2);
  });

  it("are cut off when they reset streams in a flood", async () => {
    const server = await startTestServer({ limits: { resetBurst: 50, resetsPerSecond: 1 } });
    const { socket, closed } = await rawConnection(server);
    // HPACK: POST, http, path "/", :authority "localhost" as a literal.
    const headers = Buffer.concat([Buffer.of(0x83, 0x86, 0x84, 0x41, 9), Buffer.from("localhost")]);
    const cancel = Buffer.of(0, 0, 0, 8);
    const flood = Array.from({ length: 500 }, (_, index) => index * 2 + 1).flatMap((id) => [
      frame(1, 4, id, headers),
      frame(3, 0, id, cancel),
    ]);
    socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS, ...flood]));
    await closed;
    await assertAlive(server);
  });

  it("without a call are closed after the idle time, on either version of HTTP", async () => {
    const server = await startTestServer({ limits: { idleTimeoutMs: 80 } });
    const http1 = await rawConnection(server);
    http1.socket.write(request("localhost"));
    assert.match(await http1.closed, /^HTTP\/1\.1 200/);
    const session = connectHttp2(server.url);
    await new Promise((resolve) => session.once("close", resolve));
  });

  it("with a call that is silent for longer than the idle time stay open", async () => {
    const inner = fakePipeline();
    const pipeline = fakePipeline({
      complete: async (call, input) => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        return inner.complete(call, input);
      },
    });
    const server = await startTestServer({ ports: { pipeline }, limits: { idleTimeoutMs: 80 } });
    const client = new GrpcClient(server);
    const [{ code }] = await Promise.all([client.call(PipelineService.method.complete, {}), assertAlive(server)]);
    assert.equal(code, status.OK);
    client.close();
  });

  it("of HTTP/1.1 that break while a call is under way cancel it", async () => {
    const pipeline = fakePipeline({ complete: () => new Promise(() => {}) });
    const server = await startTestServer({ ports: { pipeline } });
    const { socket } = await rawConnection(server);
    socket.write(request("localhost"));
    await until(() => pipeline.calls.length === 1);
    socket.destroy();
    await until(() => pipeline.calls[0]?.signal.aborted === true);
    await until(() => server.calls.inFlight() === 0);
  });

  it("whose peer answers no ping are cut off, and their calls cancelled", async () => {
    const pipeline = fakePipeline({ complete: () => new Promise(() => {}) });
    const server = await startTestServer({ ports: { pipeline }, limits: { pingIntervalMs: 50, pingTimeoutMs: 50 } });
    const { socket, closed } = await rawConnection(server);
    const message = frame(0, 1, 1, Buffer.of(0, 0, 0, 0, 0));
    socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS, grpcHeaders(1), message]));
    await until(() => pipeline.calls.length === 1);
    await closed;
    await until(() => pipeline.calls[0]?.signal.aborted === true);
    await until(() => server.calls.inFlight() === 0);
  });
});

describe("limits of the server", () => {
  it("must be whole numbers above 0", () => {
    assert.throws(
      () => serverLimits({ messageBytes: 0 }),
      /limit messageBytes: expected a whole number above 0, got 0/,
    );
    assert.throws(() => serverLimits({ idleTimeoutMs: 1.5 }), RangeError);
    assert.equal(serverLimits({ maxStreams: 1 }).maxStreams, 1);
  });
});
