import type { Pipeline } from "../core/pipeline.ts";
import { type CompletePorts, runCall } from "./complete.ts";
import { type ExplainPorts, explain } from "./explain.ts";
import { streamCall } from "./stream.ts";

/** The pipeline behind the services: one path for every request, read as a whole or as events. */
export function createPipeline(ports: CompletePorts & ExplainPorts): Pipeline {
  return {
    async complete(call, input) {
      for await (const event of runCall(ports, call, input)) {
        if (event.kind === "finished") return event.completion;
      }
      throw new Error("a call ended without its last event");
    },
    stream: (call, input) => streamCall(ports, call, input),
    explain: (call, input) => explain(ports, call, input),
  };
}
