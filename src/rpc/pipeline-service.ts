import type { ServiceImpl } from "@connectrpc/connect";
import type { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { callOf } from "./call/call-setup.ts";

/** PipelineService over the pipeline. */
export function pipelineService(pipeline: Pipeline): ServiceImpl<typeof PipelineService> {
  return {
    async complete({ input }, context) {
      return { completion: await pipeline.complete(callOf(context), input) };
    },
    streamComplete({ input }, context) {
      return pipeline.stream(callOf(context), input);
    },
    embed: (request, context) => pipeline.embed(callOf(context), request),
    retrieve: (request, context) => pipeline.retrieve(callOf(context), request),
    async explain({ input }, context) {
      return { explanation: await pipeline.explain(callOf(context), input) };
    },
  };
}
