import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { createFileRegistry, fromBinary, fromJson, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorSetSchema, file_google_protobuf_timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { CompleteRequestSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { SummarizeUsageRequestSchema } from "../../gen/sluice/v1/usage_service_pb.ts";
import { systemClock } from "../../src/core/clock.ts";
import { failureOf } from "../../src/core/failure.ts";
import { createAuthenticator } from "../../src/rpc/auth.ts";
import { createCallSetup } from "../../src/rpc/call/call-setup.ts";
import { checkJsonTimes, hasTimes } from "../../src/rpc/call/json-dates.ts";
import { jsonOptions, jsonOptionsOf } from "../../src/rpc/server/serialization.ts";
import { type Server, startServer } from "../../src/rpc/server.ts";
import { memoryLog } from "./support/test-server.ts";

type Part = GenMessage<Message>;
type TimedService = GenService<{
  ask: { methodKind: "unary"; input: Part; output: Part };
  watch: { methodKind: "server_streaming"; input: Part; output: Part };
}>;

/** A service whose requests have times everywhere that a message can have one. */
function timedService(): TimedService {
  const time = { type: "TYPE_MESSAGE", typeName: ".google.protobuf.Timestamp" };
  const part = { type: "TYPE_MESSAGE", typeName: ".test.Part" };
  const file = {
    ...{ name: "test.proto", package: "test", syntax: "proto3" },
    dependency: ["google/protobuf/timestamp.proto"],
    messageType: [
      {
        name: "Part",
        field: [
          { name: "start_time", jsonName: "startTime", number: 1, label: "LABEL_OPTIONAL", ...time },
          { name: "all_times", jsonName: "allTimes", number: 2, label: "LABEL_REPEATED", ...time },
          { name: "parts", jsonName: "parts", number: 3, label: "LABEL_REPEATED", ...part },
          {
            name: "by_name",
            jsonName: "byName",
            number: 4,
            label: "LABEL_REPEATED",
            type: "TYPE_MESSAGE",
            typeName: ".test.Part.ByNameEntry",
          },
          { name: "text", jsonName: "text", number: 5, label: "LABEL_OPTIONAL", type: "TYPE_STRING" },
        ],
        nestedType: [
          {
            name: "ByNameEntry",
            field: [
              { name: "key", jsonName: "key", number: 1, label: "LABEL_OPTIONAL", type: "TYPE_STRING" },
              { name: "value", jsonName: "value", number: 2, label: "LABEL_OPTIONAL", ...time },
            ],
            options: { mapEntry: true },
          },
        ],
      },
    ],
    service: [
      {
        name: "Timed",
        method: [
          { name: "Ask", inputType: ".test.Part", outputType: ".test.Part", serverStreaming: false },
          { name: "Watch", inputType: ".test.Part", outputType: ".test.Part", serverStreaming: true },
        ],
      },
    ],
  };
  const set = fromJson(FileDescriptorSetSchema, { file: [file] });
  set.file.unshift(file_google_protobuf_timestamp.proto);
  const service = createFileRegistry(set).getService("test.Timed");
  assert.ok(service);
  return service as TimedService;
}

/** Of an answer in Connect, whole or as the end of a stream, or in gRPC-Web. */
function violationIn(answer: string): unknown[] {
  const [, bits] = /grpc-status-details-bin: ([^\r\n]*)/.exec(answer) ?? [];
  const { error, details = error?.details } = bits ? { details: [] } : JSON.parse(answer.slice(answer.indexOf("{")));
  const binary = bits ? fromBinary(StatusSchema, Buffer.from(bits, "base64")).details : details;
  const found = binary.find((detail: { typeUrl?: string; type?: string }) =>
    (detail.typeUrl ?? detail.type)?.endsWith("google.rpc.BadRequest"),
  );
  const bytes = typeof found.value === "string" ? Buffer.from(found.value, "base64") : found.value;
  return fromBinary(BadRequestSchema, bytes).fieldViolations.flatMap(({ field, description }) => [field, description]);
}

const timed = timedService();
const part = timed.methods[0]?.input ?? assert.fail();

describe("the check of times in JSON", () => {
  const violationOf = (json: unknown) => {
    try {
      checkJsonTimes(part, typeof json === "string" ? json : JSON.stringify(json));
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      return failure.reason === "INVALID_REQUEST" ? failure.violations[0]?.field : failure.reason;
    }
  };
  const bad = "2026-02-30T00:00:00Z";

  it("refuses each day and hour that no calendar has, and no other", () => {
    for (let year = 1896; year <= 2104; year += 1) {
      for (let month = 1; month <= 12; month += 1) {
        for (let day = 28; day <= 31; day += 1) {
          const text = `${String(year)}-${String(month).padStart(2, "0")}-${day}T23:59:59Z`;
          const isDay = new Date(`${text}`).toISOString().startsWith(text.slice(0, 10));
          assert.equal(violationOf({ startTime: text }), isDay ? undefined : "start_time", text);
        }
      }
    }
    assert.equal(violationOf({ startTime: "2026-02-28T24:00:00Z" }), "start_time");
  });

  for (const [field, json] of Object.entries({
    start_time: { start_time: bad },
    "all_times[1]": { allTimes: ["2026-03-30T00:00:00Z", bad] },
    "parts[0].parts[1].start_time": { parts: [{ parts: [{}, { startTime: bad }] }] },
    "by_name[a]": { byName: { a: bad } },
  })) {
    it(`names ${field}`, () => assert.equal(violationOf(json), field));
  }

  it("sees through escapes, and takes texts for texts", () => {
    assert.equal(violationOf('{"startTime":"2026-02-30\\u005400:00:00Z"}'), "start_time");
    assert.equal(violationOf({ text: bad }), undefined);
    assert.equal(violationOf({ nope: { startTime: bad } }), undefined);
  });

  it("leaves all else to the decoder, however deep or odd it is", () => {
    const deep = `${'{"parts":[{"startTime":1},'.repeat(20_000)}${JSON.stringify({ startTime: bad })}${"]}".repeat(20_000)}`;
    for (const json of [
      deep,
      '{"startTime":"2026-02-30T',
      `[${JSON.stringify(bad)}]`,
      { parts: bad, allTimes: null },
    ]) {
      assert.equal(violationOf(json), undefined);
    }
  });

  it("is made for requests with times only", () => {
    assert.deepEqual([part, SummarizeUsageRequestSchema, TimestampSchema].map(hasTimes), [true, true, false]);
    assert.equal(jsonOptionsOf(CompleteRequestSchema), jsonOptions);
  });
});

for (const wire of ["native", "connect"] as const) {
  describe(`times in requests, wire ${wire}`, () => {
    let server: Server;
    let handled: number;

    beforeEach(async () => {
      handled = 0;
      const limits = { deadlineMs: 10_000, maxDeadlineMs: 20_000, maxCalls: 100 };
      const ports = { clock: systemClock, log: memoryLog() };
      const calls = createCallSetup({ ...ports, authenticator: createAuthenticator([]), ...limits });
      const routes = (router: ConnectRouter) =>
        router.service(timed, {
          async ask() {
            handled += 1;
            return {};
          },
          async *watch() {
            handled += 1;
            yield {};
          },
        });
      server = await startServer({ host: "127.0.0.1", port: 0, cors: [], hosts: [], wire, calls, routes, ...ports });
    });
    afterEach(() => server.close());

    const framed = (json: Uint8Array, flags = 0) => {
      const prefix = Buffer.alloc(5, flags);
      prefix.writeUInt32BE(json.byteLength, 1);
      return Buffer.concat([prefix, json]);
    };
    const post = async (method: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) => {
      const response = await fetch(`${server.url}/test.Timed/${method}`, { method: "POST", body, headers });
      return response.text();
    };
    const unary = { "content-type": "application/json" };
    const stream = { "content-type": "application/connect+json" };
    const web = { "content-type": "application/grpc-web+json" };
    const bytes = (time: string) => Buffer.from(JSON.stringify({ parts: [{ startTime: time }] }));
    const ways: Record<string, (json: Buffer<ArrayBuffer>) => Promise<string>> = {
      "a unary call": (json) => post("Ask", json, unary),
      "a unary call in gzip": (json) => post("Ask", gzipSync(json), { ...unary, "content-encoding": "gzip" }),
      "a unary call in gRPC-Web": (json) => post("Ask", framed(json), web),
      "a stream": (json) => post("Watch", framed(json), stream),
      "a stream in gzip": (json) =>
        post("Watch", framed(gzipSync(json), 1), { ...stream, "connect-content-encoding": "gzip" }),
      "a stream in gRPC-Web": (json) => post("Watch", framed(json), web),
    };
    for (const [what, send] of Object.entries(ways)) {
      it(`are checked in ${what}`, async () => {
        const answer = await send(bytes("2026-02-30T00:00:00Z"));
        assert.deepEqual(violationIn(answer), ["parts[0].start_time", "there is no day 2026-02-30"]);
        assert.equal(handled, 0);
        await send(bytes("2026-02-28T00:00:00Z"));
        assert.equal(handled, 1);
      });
    }
  });
}
