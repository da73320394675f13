import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import { type StreamCompleteResponse, StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../core/call.ts";
import type { CallEvent } from "./call-events.ts";
import { type CompletePorts, runCall } from "./complete.ts";
import { JsonParts } from "./json-parts.ts";
import { inPieces } from "./replay.ts";

/** A call as the contract's events. For JSON output each delta is followed by the parts that it completes. */
export async function* streamCall(
  ports: CompletePorts,
  call: Call,
  input: CompletionInput | undefined,
): AsyncGenerator<StreamCompleteResponse, void, undefined> {
  let sequence = 0n;
  let isJson = false;
  let parts: JsonParts | undefined;
  for await (const event of runCall(ports, call, input)) {
    if (event.kind === "started") isJson = event.isJson;
    // Parts are of one answer: what follows a restart is another.
    if (event.kind === "started" || event.kind === "restarted") parts = isJson ? new JsonParts() : undefined;
    // An answer that is there already is one delta; it goes out in pieces like a live one.
    const pieces = event.kind === "delta" && event.isWhole ? deltasOf(event.text) : [event];
    for (const piece of pieces) {
      if (piece.kind === "delta") sequence += 1n;
      yield response(contractEvent(piece, call, sequence));
      if (piece.kind !== "delta" || !parts) continue;
      for (const part of parts.push(piece.text)) yield response({ case: "jsonPart", value: part });
    }
  }
}

type ContractEvent = MessageInitShape<typeof StreamCompleteResponseSchema>["event"];

function response(event: ContractEvent): StreamCompleteResponse {
  return create(StreamCompleteResponseSchema, { event });
}

function contractEvent(event: CallEvent, call: Call, sequenceNumber: bigint): ContractEvent {
  switch (event.kind) {
    case "started": {
      const { model, synthetic, cacheStatus, prompt, retrieval } = event;
      return { case: "started", value: { callId: call.id, model, synthetic, cacheStatus, prompt, retrieval } };
    }
    case "delta":
      return { case: "textDelta", value: { sequenceNumber, text: event.text } };
    case "restarted":
      return { case: "restarted", value: { cause: event.cause, model: event.model } };
    case "finished":
      return { case: "finished", value: { completion: event.completion } };
  }
}

function* deltasOf(text: string): Generator<CallEvent> {
  for (const piece of inPieces(text)) yield { kind: "delta", text: piece };
}
