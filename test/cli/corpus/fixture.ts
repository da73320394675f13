import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { runCli } from "../../../src/cli/program.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { embed } from "../../../src/pipeline/embed.ts";
import { putDocuments } from "../../../src/pipeline/put-documents.ts";
import { reembed } from "../../../src/pipeline/reembed.ts";
import { retrieve } from "../../../src/pipeline/retrieve.ts";
import { type Fixture, fixture } from "../../pipeline/put-documents/fixture.ts";
import { fakePipeline } from "../../rpc/support/fake-ports.ts";
import { startTestServer, type TestServerOptions } from "../../rpc/support/test-server.ts";
import { embeddingTarget } from "../../support/embedding-models.ts";

/** A server on a socket with the real pipeline of documents, over a corpus in memory and models of words. */
export async function startCorpusServer(
  replaced: Parameters<typeof fakePipeline>[0] = {},
  options: Pick<TestServerOptions, "limits"> = {},
) {
  const wide = embeddingTarget({ alias: "wide", dimension: 128 });
  const made: Fixture = fixture([embeddingTarget(), wide], { clock: systemClock });
  const { ports, corpus } = made;
  const pipeline = fakePipeline({
    embed: (call, request) => embed(ports, call, request),
    retrieve: (call, request) => retrieve(ports, call, request),
    putDocuments: (call, request) => putDocuments(ports, call, request),
    reembed: (call, request) => reembed(ports, call, request),
    ...replaced,
  });
  const server = await startTestServer({ ports: { pipeline, corpus }, ...options });
  return { ...made, url: server.url, pipeline };
}

/** Runs a command in this process. */
export async function sluice(url: string, args: readonly string[], options: { isTTY?: boolean; stdin?: string } = {}) {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    isTTY: options.isTTY ?? false,
    write(text: string) {
      written[name] += text;
    },
  });
  const stdin = Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]);
  const terminal = { stdin, stdout: output("stdout"), stderr: output("stderr"), env: { SLUICE_SERVER: url } };
  const code = await runCli([...args, "--server", url], terminal);
  return { code, ...written };
}

/** Writes files below a folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
