import assert from "node:assert/strict";
import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { ServerReflection, type ServerReflectionRequestSchema } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../gen/health/v1/health_pb.ts";
import { createReflection } from "../../src/rpc/reflection.ts";
import { services } from "../../src/rpc/routes.ts";

type Request = MessageInitShape<typeof ServerReflectionRequestSchema>;

const transport = createRouterTransport(createReflection(services));

async function ask(messageRequest: NonNullable<Request["messageRequest"]>) {
  const requests = async function* (): AsyncGenerator<Request> {
    yield { host: "h", messageRequest };
  };
  for await (const response of createClient(ServerReflection, transport).serverReflectionInfo(requests())) {
    assert.equal(response.validHost, "h");
    return response.messageResponse;
  }
  return assert.fail("no answer");
}

async function filesFor(symbol: string): Promise<string[]> {
  const answer = await ask({ case: "fileContainingSymbol", value: symbol });
  assert.equal(answer.case, "fileDescriptorResponse");
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

describe("reflection", () => {
  it("lists the services, health and itself included", async () => {
    const answer = await ask({ case: "listServices", value: "" });
    assert.equal(answer.case, "listServicesResponse");
    const names = answer.value.service.map(({ name }) => name);
    for (const { typeName } of [...services, Health, ServerReflection, ServerReflectionAlpha])
      assert(names.includes(typeName));
  });

  for (const [symbol, file] of [
    ["sluice.v1.PipelineService", "sluice/v1/pipeline_service.proto"],
    [".sluice.v1.PipelineService.Complete", "sluice/v1/pipeline_service.proto"],
    ["sluice.v1.Message.role", "sluice/v1/message.proto"],
    ["sluice.v1.ContentPart.content", "sluice/v1/message.proto"],
    ["sluice.v1.Role", "sluice/v1/message.proto"],
    ["sluice.v1.ROLE_USER", "sluice/v1/message.proto"],
    ["sluice.v1.ParseFailureDetail", "sluice/v1/error_detail.proto"],
    ["sluice.v1.ErrorReason", "sluice/v1/error_reason.proto"],
    ["google.rpc.BadRequest.FieldViolation", "google/rpc/error_details.proto"],
    ["buf.validate.field", "buf/validate/validate.proto"],
  ] as const) {
    it(`finds ${symbol}`, async () => assert.equal((await filesFor(symbol))[0], file));
  }

  it("sends files with all that they import, so that clients can build types of them", async () => {
    const answer = await ask({ case: "fileByFilename", value: "sluice/v1/pipeline_service.proto" });
    assert.equal(answer.case, "fileDescriptorResponse");
    const file = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    assert.equal(file[0]?.name, "sluice/v1/pipeline_service.proto");
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.reverse() }));
    assert.equal(registry.getService("sluice.v1.PipelineService")?.methods.length, services[0].methods.length);
  });

  it("knows extensions by number", async () => {
    const numbers = await ask({ case: "allExtensionNumbersOfType", value: "google.protobuf.FieldOptions" });
    assert.equal(numbers.case, "allExtensionNumbersResponse");
    assert(numbers.value.extensionNumber.includes(1159));
    const value = { containingType: "google.protobuf.FieldOptions", extensionNumber: 1159 };
    assert.equal((await ask({ case: "fileContainingExtension", value })).case, "fileDescriptorResponse");
  });

  for (const request of [
    { case: "fileContainingSymbol", value: "sluice.v1.Nope" },
    { case: "fileContainingSymbol", value: "sluice.v1.Message.nope" },
    { case: "fileContainingSymbol", value: "" },
    { case: "fileByFilename", value: "/etc/passwd" },
    { case: "allExtensionNumbersOfType", value: "nope" },
    { case: "fileContainingExtension", value: { containingType: "sluice.v1.Message", extensionNumber: 1 } },
  ] as const) {
    it(`answers NOT_FOUND in the stream for ${request.case} ${JSON.stringify(request.value)}`, async () => {
      const answer = await ask(request);
      assert.equal(answer.case, "errorResponse");
      assert.equal(answer.value.errorCode, 5);
    });
  }

  it("speaks v1alpha too, and answers every question of a stream in order", async () => {
    const requests = async function* () {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
      yield { messageRequest: { case: "fileByFilename" as const, value: "sluice/v1/model.proto" } };
      yield {};
    };
    const cases: unknown[] = [];
    for await (const { messageResponse } of createClient(ServerReflectionAlpha, transport).serverReflectionInfo(
      requests(),
    )) {
      cases.push(messageResponse.case);
    }
    assert.deepEqual(cases, ["listServicesResponse", "fileDescriptorResponse", "errorResponse"]);
  });
});
