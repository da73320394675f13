import { resolve } from "node:path";
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { UnknownNameDetailSchema } from "../../../gen/sluice/v1/error_detail_pb.ts";
import { type CommandLine, notByCommandLine, performByCommandLine, type ToldError } from "../command-line.ts";
import { testsOfClient } from "../steps.ts";

interface Detail {
  readonly type: string;
  readonly value: string;
}

/** What it tells as it goes comes on stderr, too. */
function error(stderr: string): ToldError {
  const printed = stderr.split("\n").filter((line) => !line.startsWith("buf: "));
  // What it found itself, as when its own timer fired, is no JSON.
  if (printed[0]?.startsWith("Failure: ")) return { message: printed[0], reason: undefined, nearest: undefined };
  const { message, details = [] }: { message: string; details?: readonly Detail[] } = JSON.parse(printed.join("\n"));
  const find = <Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined => {
    const detail = details.find(({ type }) => type === schema.typeName);
    return detail && fromBinary(schema, Buffer.from(detail.value, "base64"));
  };
  return { message, reason: find(ErrorInfoSchema)?.reason, nearest: find(UnknownNameDetailSchema)?.nearest };
}

const grpc = ["curl", "--protocol", "grpc", "--http2-prior-knowledge"];

const bufCurl: CommandLine = {
  program: resolve("node_modules/.bin/buf"),
  arguments: ({ url }, { method, body, timeoutMs, metadata = {} }) => [
    ...[...grpc, "-v", "-d", JSON.stringify(body)],
    ...(timeoutMs === undefined ? [] : ["--timeout", `${timeoutMs}ms`]),
    ...Object.entries(metadata).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    `${url}/${method}`,
  ],
  // Its exit codes are those of gRPC, eight times.
  code: (exit) => exit / 8,
  error,
  listServices: ({ url }) => [...grpc, "--list-services", url],
};

testsOfClient("buf curl", (server) => performByCommandLine(bufCurl, server), { without: notByCommandLine });
