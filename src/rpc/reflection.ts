import type { DescFile, DescService } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../gen/health/v1/health_pb.ts";
import { file_sluice_v1_error_detail } from "../../gen/sluice/v1/error_detail_pb.ts";
import { file_sluice_v1_error_reason } from "../../gen/sluice/v1/error_reason_pb.ts";
import { DescriptorIndex } from "./reflection/descriptor-index.ts";

/** What clients ask; both versions of the protocol have the same shape. */
type Question =
  | {
      readonly case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices";
      readonly value: string;
    }
  | {
      readonly case: "fileContainingExtension";
      readonly value: { readonly containingType: string; readonly extensionNumber: number };
    }
  | { readonly case: undefined };

type Answer =
  | { readonly case: "listServicesResponse"; readonly value: { service: { name: string }[] } }
  | { readonly case: "fileDescriptorResponse"; readonly value: { fileDescriptorProto: Uint8Array[] } }
  | {
      readonly case: "allExtensionNumbersResponse";
      readonly value: { baseTypeName: string; extensionNumber: number[] };
    }
  | { readonly case: "errorResponse"; readonly value: { errorCode: Code; errorMessage: string } };

/** Files that no service imports but whose messages travel in error details. */
const errorFiles = [file_google_rpc_error_details, file_sluice_v1_error_detail, file_sluice_v1_error_reason];

/** gRPC server reflection, v1 and v1alpha, over the given services, health, and everything that their errors may hold. */
export function createReflection(services: readonly DescService[]): (router: ConnectRouter) => void {
  const all = [...services, Health, ServerReflection, ServerReflectionAlpha];
  const names = all.map(({ typeName }) => typeName).sort();
  const index = new DescriptorIndex([...all.map(({ file }) => file), ...errorFiles]);
  return (router) => {
    router.service(ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          const messageResponse = answer(index, names, request.messageRequest);
          yield { validHost: request.host, originalRequest: request, messageResponse };
        }
      },
    });
    router.service(ServerReflectionAlpha, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          const messageResponse = answer(index, names, request.messageRequest);
          yield { validHost: request.host, originalRequest: request, messageResponse };
        }
      },
    });
  };
}

function answer(index: DescriptorIndex, services: readonly string[], question: Question): Answer {
  switch (question.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: services.map((name) => ({ name })) } };
    case "fileByFilename":
      return files(index, index.fileByName(question.value));
    case "fileContainingSymbol":
      return files(index, index.fileOfSymbol(question.value.replace(/^\./, "")));
    case "fileContainingExtension":
      return files(index, index.fileOfExtension(question.value.containingType, question.value.extensionNumber));
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(question.value);
      if (!extensionNumber) return failed(Code.NotFound, "no such message type");
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } };
    }
    default:
      return failed(Code.InvalidArgument, "message_request is not set");
  }
}

function files(index: DescriptorIndex, file: DescFile | undefined): Answer {
  if (!file) return failed(Code.NotFound, "no such file, symbol or extension");
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: index.encodeWithImports(file) } };
}

function failed(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
