import { type EstimateInput, EstimateSource } from "../../../gen/sluice/v1/estimate_pb.ts";
import { MILLION, millionthsOf } from "../../core/estimate.ts";
import { invalidRequest } from "../../core/failure.ts";
import { chosen, ratio, type Sourced } from "./factors.ts";
import type { Measured } from "./history.ts";
import type { PromptSizes } from "./prompt-sizes.ts";

/** The prompt tokens where no samples are given: those of the request, else the measured mean. */
export function findPromptTokens(input: EstimateInput, measured: Measured | undefined): PromptSizes {
  const { promptTokens } = input;
  if (promptTokens !== undefined) {
    return { promptTokens: [promptTokens], source: EstimateSource.GIVEN, cached: givenCachedRate(input) };
  }
  const calls = measured?.calls;
  const mean = calls && ratio(calls.promptTokens, calls.attempts);
  if (calls === undefined || mean === undefined) {
    const why = calls ? "none of the measured calls was answered by a model" : "or a prompt with samples, or a feature";
    throw invalidRequest("input.prompt_tokens", "required", `is required: ${why}`);
  }
  const given = input.cachedPromptRate;
  const cached = chosen(
    given === undefined ? undefined : millionthsOf(given),
    ratio(calls.cachedPromptTokens * MILLION, calls.promptTokens),
    0n,
  );
  return { promptTokens: [mean], source: EstimateSource.MEASURED, cached };
}

/** The cached share where prompt tokens are not measured: what the request says, else none. */
export function givenCachedRate({ cachedPromptRate }: EstimateInput): Sourced {
  return chosen(cachedPromptRate === undefined ? undefined : millionthsOf(cachedPromptRate), undefined, 0n);
}
