import type { MessageInitShape } from "@bufbuild/protobuf";
import { type EstimateFactorSchema, type EstimateInput, EstimateSource } from "../../../gen/sluice/v1/estimate_pb.ts";
import { MILLION, millionthsOf } from "../../core/estimate.ts";
import { invalidRequest } from "../../core/failure.ts";
import { divideHalfUp } from "../../core/money.ts";
import type { Measured } from "./history.ts";

/** A number and where it comes from. */
export interface Sourced {
  readonly value: bigint;
  readonly source: EstimateSource;
}

/** What is the same for every model. Rates are in millionths. */
export interface Factors {
  readonly requestsPerDay: bigint;
  readonly cacheHits: Sourced;
  readonly attemptsPerCall: Sourced;
  readonly completionTokens: Sourced;
  readonly reasoningTokens: bigint;
}

/** Each factor as the request gives it, else as it was measured, else its default. */
export function findFactors(input: EstimateInput, measured: Measured | undefined): Factors {
  // Rates belong to a feature: a prompt alone is measured for the length of its answers.
  const calls = measured?.feature ? measured.calls : undefined;
  return {
    requestsPerDay: input.requestsPerDay,
    cacheHits: chosen(
      input.cacheHitRate === undefined ? undefined : millionthsOf(input.cacheHitRate),
      calls && ratio(calls.freeCalls * MILLION, calls.freeCalls + calls.payingCalls),
      0n,
    ),
    attemptsPerCall: chosen(
      input.attemptsPerCall === undefined ? undefined : millionthsOf(input.attemptsPerCall),
      calls && ratio(calls.attempts * MILLION, calls.payingCalls),
      MILLION,
    ),
    ...answerTokens(input, measured),
  };
}

function answerTokens(
  { completionTokens, reasoningTokens }: EstimateInput,
  measured: Measured | undefined,
): Pick<Factors, "completionTokens" | "reasoningTokens"> {
  if (completionTokens !== undefined) {
    const given = { value: completionTokens, source: EstimateSource.GIVEN };
    return { completionTokens: given, reasoningTokens: reasoningTokens ?? 0n };
  }
  const calls = measured?.calls;
  const completion = calls && ratio(calls.completionTokens, calls.attempts);
  if (calls === undefined || completion === undefined) {
    const why = calls ? "none of the measured calls was answered by a model" : "there is nothing to measure it from";
    throw invalidRequest("input.completion_tokens", "required", `is required: ${why}`);
  }
  return {
    completionTokens: { value: completion, source: EstimateSource.MEASURED },
    reasoningTokens: ratio(calls.reasoningTokens, calls.attempts) ?? 0n,
  };
}

export function chosen(given: bigint | undefined, measured: bigint | undefined, otherwise: bigint): Sourced {
  if (given !== undefined) return { value: given, source: EstimateSource.GIVEN };
  if (measured !== undefined) return { value: measured, source: EstimateSource.MEASURED };
  return { value: otherwise, source: EstimateSource.DEFAULT };
}

/** Rounded half up; `undefined` where there is nothing to divide by. */
export function ratio(numerator: bigint, denominator: bigint): bigint | undefined {
  return denominator === 0n ? undefined : divideHalfUp(numerator, denominator);
}

export function factorMessage({ value, source }: Sourced): MessageInitShape<typeof EstimateFactorSchema> {
  return { millionths: value, source };
}
