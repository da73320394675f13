import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { type StreamCompleteResponse, StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../core/call.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { type CallEvent, type CompletePorts, runCall } from "./complete.ts";
import { promptReference } from "./completion.ts";
import { type ExplainPorts, explain } from "./explain.ts";

/** The pipeline behind the services: one path for every request, read as a whole or as events. */
export function createPipeline(ports: CompletePorts & ExplainPorts): Pipeline {
  return {
    complete: (call, input) => lastOf(runCall(ports, call, input)),
    stream: (call, input) => streamCall(ports, call, input),
    explain: (call, input) => explain(ports, call, input),
  };
}

async function lastOf(events: AsyncIterable<CallEvent>): Promise<Completion> {
  for await (const event of events) {
    if (event.kind === "finished") return event.completion;
  }
  throw new Error("a call ended without its last event");
}

async function* streamCall(
  ports: CompletePorts,
  call: Call,
  input: CompletionInput | undefined,
): AsyncGenerator<StreamCompleteResponse, void, undefined> {
  let sequence = 0n;
  for await (const event of runCall(ports, call, input)) {
    if (event.kind === "delta") sequence += 1n;
    yield create(StreamCompleteResponseSchema, { event: contractEvent(event, call, sequence) });
  }
}

type ContractEvent = MessageInitShape<typeof StreamCompleteResponseSchema>["event"];

function contractEvent(event: CallEvent, call: Call, sequenceNumber: bigint): ContractEvent {
  switch (event.kind) {
    case "started": {
      const { target, cacheStatus, prompt } = event;
      const { alias: model, synthetic } = target;
      return {
        case: "started",
        value: { callId: call.id, model, synthetic, cacheStatus, prompt: promptReference(prompt) },
      };
    }
    case "delta":
      return { case: "textDelta", value: { sequenceNumber, text: event.text } };
    case "restarted":
      return { case: "restarted", value: { cause: event.cause, model: event.target.alias } };
    case "finished":
      return { case: "finished", value: { completion: event.completion } };
  }
}
