import { type GenerationOptions, ReasoningEffort } from "../../../gen/sluice/v1/completion_input_pb.ts";
import type { SamplingOptions } from "../../core/model.ts";

/** Options before a model's own limits are applied: `maxOutputTokens` is absent where nobody asked for a number. */
export type RequestedSampling = Omit<SamplingOptions, "maxOutputTokens"> & { readonly maxOutputTokens?: number };

/** By number, since an enum of a newer client may hold one that is not known here; validation has refused those. */
const effortWords: Readonly<Record<number, SamplingOptions["reasoningEffort"]>> = {
  [ReasoningEffort.MINIMAL]: "minimal",
  [ReasoningEffort.LOW]: "low",
  [ReasoningEffort.MEDIUM]: "medium",
  [ReasoningEffort.HIGH]: "high",
};

/** The request's options, each falling back to the prompt's. */
export function mergeSampling(
  request: GenerationOptions | undefined,
  prompt: GenerationOptions | undefined,
): RequestedSampling {
  const stop = request?.stop.length ? request.stop : (prompt?.stop ?? []);
  const effort = request?.reasoningEffort || prompt?.reasoningEffort || ReasoningEffort.UNSPECIFIED;
  return {
    temperature: request?.temperature ?? prompt?.temperature,
    topP: request?.topP ?? prompt?.topP,
    maxOutputTokens: request?.maxOutputTokens ?? prompt?.maxOutputTokens,
    stop,
    seed: request?.seed ?? prompt?.seed,
    presencePenalty: request?.presencePenalty ?? prompt?.presencePenalty,
    frequencyPenalty: request?.frequencyPenalty ?? prompt?.frequencyPenalty,
    reasoningEffort: effortWords[effort],
  };
}
