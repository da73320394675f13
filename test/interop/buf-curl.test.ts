import assert from "node:assert/strict";
import { resolve } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { UnknownNameDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import { run } from "../support/child.ts";
import { useServer } from "../support/running-server.ts";
import { document } from "./document.ts";

const input = { prompt: { name: "summarize", variables: { text: document } } };

/** buf curl knows no contract of ours: it asks the server for it, by reflection. */
describe("a caller with buf curl", () => {
  const server = useServer();

  /** `protocol` is the version of the reflection protocol. */
  function curl(path: string, args: string[], protocol = "grpc-v1") {
    return run(resolve("node_modules/.bin/buf"), [
      ...["curl", "--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", protocol],
      ...args,
      `${server().url}${path}`,
    ]);
  }

  for (const protocol of ["grpc-v1", "grpc-v1alpha"]) {
    it(`lists services and methods by ${protocol}`, async () => {
      const services = await curl("", ["--list-services"], protocol);
      for (const name of ["Admin", "Corpus", "Model", "Pipeline", "Prompt", "Usage"].map(
        (name) => `sluice.v1.${name}Service`,
      )) {
        assert.ok(services.stdout.split("\n").includes(name), services.stdout + services.stderr);
      }
      const methods = await curl("", ["--list-methods"], protocol);
      assert.ok(methods.stdout.split("\n").includes("sluice.v1.PipelineService/StreamComplete"), methods.stdout);
    });
  }

  it("gets a completion", async () => {
    const { code, stdout, stderr } = await curl("/sluice.v1.PipelineService/Complete", [
      "-d",
      JSON.stringify({ input }),
    ]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.notEqual(JSON.parse(stdout).completion.text, "");
  });

  it("gets a stream, one JSON value after the other", async () => {
    const body = JSON.stringify({ input });
    const { code, stdout, stderr } = await curl("/sluice.v1.PipelineService/StreamComplete", ["-d", body]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    const events = stdout
      .trim()
      .split(/\n(?=\{)/)
      .map((text) => JSON.parse(text));
    assert.ok(events[0].started);
    const deltas = events.flatMap(({ textDelta }) => textDelta?.text ?? []);
    assert.equal(deltas.join(""), events.at(-1).finished.completion.text);
  });

  it("gets the typed details of an error", async () => {
    const body = JSON.stringify({ input: { ...input, model: "no-such-model" } });
    const { code, stderr } = await curl("/sluice.v1.PipelineService/Complete", ["-d", body]);
    assert.notEqual(code, 0);
    const error = JSON.parse(stderr);
    assert.equal(error.code, "not_found");
    const bytes = (name: string) =>
      Buffer.from(error.details.find(({ type }: { type: string }) => type === name)?.value ?? "", "base64");
    const info = fromBinary(ErrorInfoSchema, bytes("google.rpc.ErrorInfo"));
    assert.deepEqual([info.reason, info.domain], ["UNKNOWN_MODEL", "sluice.v1"]);
    const unknown = fromBinary(UnknownNameDetailSchema, bytes("sluice.v1.UnknownNameDetail"));
    assert.equal(unknown.name, "no-such-model");
  });
});
