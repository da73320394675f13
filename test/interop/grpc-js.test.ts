import assert from "node:assert/strict";
import { isMessage } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { UnknownNameDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import { PipelineService, type StreamCompleteResponse } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { errorDetails, GrpcCaller, isServiceError } from "../support/grpc-caller.ts";
import { useServer } from "../support/running-server.ts";
import { document } from "./document.ts";

const input = { prompt: { name: "summarize", variables: { text: document } } };
const { complete, streamComplete } = PipelineService.method;

describe("a caller with grpc-js", () => {
  const server = useServer();
  let caller: GrpcCaller;

  before(() => {
    caller = new GrpcCaller(server().address);
  });

  after(() => caller?.close());

  it("gets a completion, and a second identical one from memory", async () => {
    const first = await caller.unary(complete, { input });
    assert.equal(first.completion?.cacheStatus, CacheStatus.MISS);
    assert.notEqual(first.completion.text, "");
    assert.equal(first.completion.prompt?.name, "summarize");
    const second = await caller.unary(complete, { input });
    assert.equal(second.completion?.cacheStatus, CacheStatus.MEMORY_HIT);
    assert.equal(second.completion.text, first.completion.text);
  });

  it("gets a stream that begins with Started and ends with Finished, whose text is the deltas", async () => {
    const events: StreamCompleteResponse["event"][] = [];
    for await (const { event } of caller.serverStream(streamComplete, { input })) events.push(event);
    assert.equal(events.at(0)?.case, "started");
    const last = events.at(-1);
    assert.ok(last?.case === "finished");
    const deltas = events.flatMap((event) => (event.case === "textDelta" ? event.value.text : []));
    assert.equal(deltas.join(""), last.value.completion?.text);
    assert.notEqual(deltas.length, 0);
  });

  for (const [name, call] of [
    ["a unary call", () => caller.unary(complete, { input: { ...input, model: "sandbox/extrakt" } })],
    ["a stream", () => caller.serverStream(streamComplete, { input: { ...input, model: "sandbox/extrakt" } }).next()],
  ] as const) {
    it(`gets the typed error of an unknown model from ${name}`, async () => {
      const error = await call().then(
        () => assert.fail("the model is unknown"),
        (reason: unknown) => reason,
      );
      assert.ok(isServiceError(error));
      assert.equal(error.code, status.NOT_FOUND);
      const details = errorDetails(error.metadata);
      const info = details.find((detail) => isMessage(detail, ErrorInfoSchema));
      assert.equal(info?.reason, "UNKNOWN_MODEL");
      assert.equal(info.domain, "sluice.v1");
      const unknown = details.find((detail) => isMessage(detail, UnknownNameDetailSchema));
      assert.equal(unknown?.name, "sandbox/extrakt");
      assert.equal(unknown.nearest[0], "sandbox/extract");
      assert.deepEqual(error.metadata.get("grpc-retry-pushback-ms"), ["-1"]);
    });
  }
});
