import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  type StringValueSchema,
} from "@bufbuild/protobuf/wkt";

const STRING_VALUE = ".google.protobuf.StringValue";

/** What the compiler cannot know of a service that is described at run time. */
type StreamingService = GenService<{
  collect: { methodKind: "client_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
  converse: { methodKind: "bidi_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
}>;

/** A service with the kinds of methods that the contract has not, over texts. */
export const streamingService = describeService() as StreamingService;

function describeService() {
  const method = (name: string, serverStreaming: boolean) => ({
    name,
    inputType: STRING_VALUE,
    outputType: STRING_VALUE,
    clientStreaming: true,
    serverStreaming,
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "streaming.proto",
    package: "wire.test",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [{ name: "StreamingService", method: [method("Collect", false), method("Converse", true)] }],
  });
  const set = create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] });
  const service = createFileRegistry(set).getService("wire.test.StreamingService");
  if (!service) throw new Error("the service was described and is not there");
  return service;
}
