import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { SlowReaderDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { ChatModel } from "../../src/core/model.ts";
import { answerRoom } from "../../src/pipeline/answer-room.ts";
import { Flights } from "../../src/pipeline/flight.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { target } from "../support/models.ts";
import { pipelinePorts } from "../support/pipeline-ports.ts";
import { until } from "./support/in-memory.ts";
import { closeRawConnections, rawConnection } from "./support/raw-socket.ts";
import { closeServers, startTestServer } from "./support/test-server.ts";

const { streamComplete, complete } = PipelineService.method;
const request = toBinary(
  streamComplete.input,
  create(streamComplete.input, {
    input: { messages: [{ role: 2, content: [{ content: { case: "text", value: "Go on." } }] }] },
  }),
);

/** Sends so many pieces of so many characters. */
function talkative(pieces: number, characters: number) {
  const seen = { pieces: 0, hasEnded: false };
  const piece = "a".repeat(characters);
  const chat: ChatModel = {
    async *complete(_request, signal) {
      try {
        while (seen.pieces < pieces) {
          signal.throwIfAborted();
          seen.pieces += 1;
          yield { kind: "delta", text: piece };
          await new Promise(setImmediate);
        }
        yield { kind: "end", finish: "stop" };
      } finally {
        seen.hasEnded = true;
      }
    },
  };
  return { chat, seen };
}

/** The whole service but for the model. */
async function start(
  { chat }: { readonly chat: ChatModel },
  { slowReaderMs, deadlineMs = 20_000 }: { readonly slowReaderMs: number; readonly deadlineMs?: number },
) {
  const ports = { ...pipelinePorts([target({ chat })], { clock: systemClock }), flights: new Flights(answerRoom) };
  const pipeline = createPipeline(ports);
  const server = await startTestServer({ ports: { pipeline }, limits: { slowReaderMs }, deadlineMs });
  /** What the ledger and the log say of the calls that are over. */
  const reasons = () =>
    ports.records.flatMap((record) => (record.type === "call_finished" ? [record.error_reason] : []));
  const logged = () => ports.lines.flatMap(({ event, fields }) => (event === "llm_call" ? [fields.error_reason] : []));
  const isCut = () => server.log.lines.some(({ event }) => event === "response_cut");
  return { server, reasons, logged, isCut };
}

const sessions: ClientHttp2Session[] = [];

function http2Session(url: string): ClientHttp2Session {
  // Stated, since the default of Node has changed between versions.
  const session = connect(url, { settings: { initialWindowSize: 65_535 } });
  session.on("error", () => {});
  sessions.push(session);
  return session;
}

function envelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A gRPC call whose answer stays unread until somebody reads it. */
function grpcCall(
  session: ClientHttp2Session,
  { parent, name } = streamComplete as typeof complete | typeof streamComplete,
) {
  const stream = session.request({
    ":path": `/${parent.typeName}/${name}`,
    ":method": "POST",
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  stream.end(envelope(request));
  return stream;
}

/** Reads a gRPC answer to its end. */
async function read(stream: ClientHttp2Stream) {
  let bytes = 0;
  let trailers: Record<string, unknown> = {};
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(stream, "end");
  const status = fromBinary(StatusSchema, Buffer.from(String(trailers["grpc-status-details-bin"] ?? ""), "base64"));
  const find = <T>(unpack: (any: (typeof status.details)[number]) => T | undefined) =>
    status.details.map(unpack).find((detail) => detail !== undefined);
  return {
    bytes,
    code: Number(trailers["grpc-status"]),
    reason: find((any) => anyUnpack(any, ErrorInfoSchema))?.reason,
    limitMs: find((any) => anyUnpack(any, SlowReaderDetailSchema))?.limitMs,
  };
}

describe("a stream that nobody reads", () => {
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    closeRawConnections();
    await closeServers();
  });

  it("stops the reading of the model, and ends with SLOW_READER once the reader goes on", async () => {
    const { chat, seen } = talkative(10_000, 16 * 1024);
    const { server, reasons, logged, isCut } = await start({ chat }, { slowReaderMs: 700 });
    const stream = grpcCall(http2Session(server.url));
    await until(() => reasons().length === 1);
    assert.deepEqual([reasons(), logged()], [["SLOW_READER"], ["SLOW_READER"]]);
    assert.equal(seen.hasEnded, true);
    // The room of the flight, the window of HTTP/2 and a few pieces on their way.
    assert.ok(seen.pieces * 16 * 1024 < 600_000, `${seen.pieces} pieces were made`);
    assert.equal(server.calls.inFlight(), 0);
    const { bytes, ...end } = await read(stream);
    assert.deepEqual(end, { code: 8, reason: "SLOW_READER", limitMs: 700n });
    assert.ok(bytes >= 64 * 1024, "what was buffered is lost");
    assert.equal(isCut(), false);
  });

  it("is reset where the reader never goes on, and keeps no other call waiting", async () => {
    const { chat } = talkative(10_000, 16 * 1024);
    const { server, reasons, isCut } = await start({ chat }, { slowReaderMs: 100 });
    const session = http2Session(server.url);
    const streams = Array.from({ length: 5 }, () => grpcCall(session));
    const resets = streams.map(async (stream) => {
      await once(stream, "error").catch(() => {});
      return stream.rstCode;
    });
    const health = session.request({
      ":path": "/grpc.health.v1.Health/Check",
      ":method": "POST",
      "content-type": "application/grpc+proto",
      te: "trailers",
    });
    health.end(envelope(new Uint8Array()));
    assert.equal((await read(health)).code, 0);
    assert.deepEqual(reasons(), []);
    assert.deepEqual(await Promise.all(resets), Array(5).fill(constants.NGHTTP2_ENHANCE_YOUR_CALM));
    assert.deepEqual(reasons(), Array(5).fill("SLOW_READER"));
    assert.equal(isCut(), true);
    assert.equal(session.destroyed, false);
  });

  for (const [protocol, contentType, body, end] of [
    ["Connect", "application/connect+proto", envelope(request), /resource_exhausted.*the stream was not read/],
    ["gRPC-Web", "application/grpc-web+proto", envelope(request), /grpc-status: ?8/],
  ] as const) {
    for (const comesBack of [true, false]) {
      it(`is cut over HTTP/1.1 and ${protocol} too, where the reader ${comesBack ? "comes back" : "never does"}`, async () => {
        // The system's buffers of a socket on loopback hold some megabytes.
        const { chat, seen } = talkative(10_000, 64 * 1024);
        const { server, reasons, isCut } = await start({ chat }, { slowReaderMs: comesBack ? 1000 : 200 });
        const { socket, received, closed } = await rawConnection(server);
        socket.pause();
        const head = `POST /${streamComplete.parent.typeName}/${streamComplete.name} HTTP/1.1\r\nhost: ${server.host}\r\n`;
        socket.write(`${head}content-type: ${contentType}\r\ncontent-length: ${body.length}\r\n\r\n`);
        socket.write(body);
        await until(() => reasons().length === 1);
        assert.deepEqual(reasons(), ["SLOW_READER"]);
        assert.ok(seen.pieces < 1000, `${seen.pieces} pieces were made`);
        if (!comesBack) await until(isCut);
        socket.resume();
        if (comesBack) await until(() => received().endsWith("\r\n0\r\n\r\n"));
        else await closed;
        assert.equal(end.test(received().slice(-4096)), comesBack);
      });
    }
  }

  it("is told the deadline where that comes first", async () => {
    const { chat, seen } = talkative(10_000, 16 * 1024);
    const { server, reasons } = await start({ chat }, { slowReaderMs: 20_000, deadlineMs: 300 });
    const stream = grpcCall(http2Session(server.url));
    await until(() => reasons().length === 1 && server.calls.inFlight() === 0);
    assert.deepEqual([reasons(), seen.hasEnded], [["DEADLINE_EXCEEDED"], true]);
    assert.equal((await read(stream)).reason, "DEADLINE_EXCEEDED");
  });

  it("ends well where only its last message was not read in time", async () => {
    // The delta just fits the window of HTTP/2. The last message repeats it and must wait, and its last bytes, which go
    // beyond 64 KiB, are not asked for before that.
    const { server, reasons } = await start(talkative(1, 65_390), { slowReaderMs: 400 });
    const stream = grpcCall(http2Session(server.url));
    await until(() => reasons().length === 1);
    assert.equal(server.calls.inFlight(), 1);
    await until(() => server.calls.inFlight() === 0);
    const { code, bytes } = await read(stream);
    assert.deepEqual([code, reasons()], [0, [""]]);
    assert.ok(bytes > 130_000, `${bytes} bytes`);
  });

  it("is no stream that is read slowly, be its messages large", async () => {
    const { server, reasons } = await start(talkative(1, 1_280_000), { slowReaderMs: 800 });
    const stream = grpcCall(http2Session(server.url));
    await once(stream, "response");
    for (let reads = 0; reads < 12; reads += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (let bytes = 0; bytes < 80_000; ) {
        const chunk: Buffer | null = stream.read();
        if (chunk) bytes += chunk.length;
        else await once(stream, "readable");
      }
    }
    assert.equal((await read(stream)).code, 0);
    assert.deepEqual(reasons(), [""]);
  });

  it("leaves nothing behind either where it is no stream: the answer is reset after twice the limit", async () => {
    const { server, reasons, isCut } = await start(talkative(1, 1_000_000), { slowReaderMs: 100 });
    const stream = grpcCall(http2Session(server.url), complete);
    await once(stream, "error").catch(() => {});
    assert.deepEqual([stream.rstCode, reasons(), isCut()], [constants.NGHTTP2_ENHANCE_YOUR_CALM, [""], true]);
  });
});
