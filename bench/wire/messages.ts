import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { CacheStatus, type Completion, CompletionSchema, FinishReason } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import {
  CompleteRequestSchema,
  PipelineService,
  type StreamCompleteResponse,
  StreamCompleteResponseSchema,
} from "../../gen/sluice/v1/pipeline_service_pb.ts";

export const unaryPath = `/${PipelineService.typeName}/${PipelineService.method.complete.name}`;
export const streamPath = `/${PipelineService.typeName}/${PipelineService.method.streamComplete.name}`;

/** The credential of every call; only Sluice looks at it. */
export const apiKey = "bench-7f3c9a51d2e84b60";

const word = " tide";

/** The request of unary calls and of streams, which are the same on the wire: about 1 KB. */
export const requestBytes: Uint8Array = toBinary(
  CompleteRequestSchema,
  create(CompleteRequestSchema, {
    input: {
      messages: [
        { role: Role.SYSTEM, content: [{ content: { case: "text", value: "Answer in one sentence." } }] },
        {
          role: Role.USER,
          content: [{ content: { case: "text", value: "The quay is closed until six. ".repeat(30) } }],
        },
      ],
      model: "fast",
      generation: { temperature: 0.2, maxOutputTokens: 400 },
      attribution: { feature: "bench", user: "u-1" },
    },
  }),
);

/** The answer of unary calls, about 1 KB on the wire, with what a real one has beside its text. */
export const completion: Completion = create(CompletionSchema, {
  callId: "01J00000000000000000000000",
  text: "The ferry leaves at six. ".repeat(36),
  finishReason: FinishReason.STOP,
  model: "fast",
  providerModel: "sandbox/echo",
  usage: { promptTokens: 241n, completionTokens: 216n },
  costNanoUsd: 1_284_000n,
  cacheStatus: CacheStatus.MISS,
  timings: { total: { seconds: 0n, nanos: 412_000_000 } },
});

/**
 * An event of a stream with so many deltas, made anew as a handler makes it: index 0 begins the stream, the deltas follow,
 * the one after them has the whole completion. Undefined after that.
 */
export function streamEvent(index: number, deltas: number): StreamCompleteResponse | undefined {
  if (index > deltas + 1) return undefined;
  return create(StreamCompleteResponseSchema, { event: eventOf(index, deltas) });
}

/** The events of such a stream. */
export const eventsOf = (deltas: number) => deltas + 2;

function eventOf(index: number, deltas: number): MessageInitShape<typeof StreamCompleteResponseSchema>["event"] {
  if (index === 0) return { case: "started", value: { callId: completion.callId, model: completion.model } };
  if (index <= deltas) return { case: "textDelta", value: { sequenceNumber: BigInt(index), text: word } };
  return { case: "finished", value: { completion: { ...completion, text: word.repeat(deltas) } } };
}
