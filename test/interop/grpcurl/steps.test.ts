import { tier } from "../../support/tiers.ts";
import type { WireServer } from "../../wire/wire-server.ts";
import { type CommandLine, notByCommandLine, performByCommandLine, type ToldError } from "../command-line.ts";
import { testsOfClient } from "../steps.ts";

interface Detail {
  readonly "@type": string;
  readonly reason?: string;
  readonly nearest?: readonly string[];
}

function error(stderr: string): ToldError {
  const { message, details = [] }: { message: string; details?: readonly Detail[] } = JSON.parse(stderr);
  const find = (type: string) => details.find((detail) => detail["@type"].endsWith(`/${type}`));
  return {
    message,
    reason: find("google.rpc.ErrorInfo")?.reason,
    nearest: find("sluice.v1.UnknownNameDetail")?.nearest,
  };
}

const addressOf = ({ host, port }: WireServer) => `${host}:${port}`;

tier("grpcurl", ({ program }) => {
  const grpcurl: CommandLine = {
    program,
    arguments: (server, { method, body, timeoutMs, metadata = {} }) => [
      ...["-plaintext", "-v", "-format-error", "-d", JSON.stringify(body)],
      ...(timeoutMs === undefined ? [] : ["-max-time", String(timeoutMs / 1000)]),
      ...Object.entries(metadata).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
      addressOf(server),
      method,
    ],
    // Its exit codes are those of gRPC after 64.
    code: (exit) => (exit > 64 ? exit - 64 : exit),
    error,
    listServices: (server) => ["-plaintext", addressOf(server), "list"],
  };
  testsOfClient("grpcurl", (server) => performByCommandLine(grpcurl, server), { without: notByCommandLine });
});
