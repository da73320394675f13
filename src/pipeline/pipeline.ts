import type { Pipeline } from "../core/pipeline.ts";
import { type CompletePorts, runCall } from "./complete.ts";
import { embed } from "./embed.ts";
import { type ExplainPorts, explain } from "./explain.ts";
import { type CorpusPorts, putDocuments } from "./put-documents.ts";
import { reembed } from "./reembed.ts";
import { retrieve } from "./retrieve.ts";
import { streamCall } from "./stream.ts";

/** The pipeline behind the services: one path for every request, read as a whole or as events. */
export function createPipeline(ports: CompletePorts & ExplainPorts & CorpusPorts): Pipeline {
  return {
    async complete(call, input) {
      for await (const event of runCall(ports, call, input)) {
        if (event.kind === "finished") return event.completion;
      }
      throw new Error("a call ended without its last event");
    },
    stream: (call, input) => streamCall(ports, call, input),
    explain: (call, input) => explain(ports, call, input),
    embed: (call, request) => embed(ports, call, request),
    retrieve: (call, request) => retrieve(ports, call, request),
    putDocuments: (call, request) => putDocuments(ports, call, request),
    reembed: (call, request) => reembed(ports, call, request),
  };
}
