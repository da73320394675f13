import type { CostEstimate, EstimateInput } from "../../gen/sluice/v1/estimate_pb.ts";
import type { Call } from "./call.ts";
import { divideHalfUp, type ExactCost } from "./money.ts";

/** Says what calls would cost. */
export interface CostEstimator {
  /**
   * @param input as it came: it is checked here.
   * @throws SluiceError INVALID_REQUEST, UNKNOWN_MODEL, UNKNOWN_PROMPT; STORE_UNAVAILABLE where something has to be
   *   measured and the ledger's database is away.
   */
  estimate(call: Call, input: EstimateInput | undefined): Promise<CostEstimate>;
}

/** What the ledger says of calls in a span of time. Sums are over the attempts that used tokens. */
export interface MeasuredCalls {
  /** Answered without cost: from the cache, by joining a call, or as a repetition. */
  readonly freeCalls: bigint;
  /** Calls with at least one attempt. */
  readonly payingCalls: bigint;
  /** Attempts that used tokens. */
  readonly attempts: bigint;
  readonly promptTokens: bigint;
  readonly cachedPromptTokens: bigint;
  readonly completionTokens: bigint;
  readonly reasoningTokens: bigint;
}

/** Which calls are measured. An empty name stands for every one. */
export interface HistoryFilter {
  readonly feature: string;
  readonly prompt: string;
  /** Calls that started from here on, and before `toMs`. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What calls of the past say about those to come. */
export interface FeatureHistory {
  /**
   * @returns undefined where there was no such call.
   * @throws SluiceError STORE_UNAVAILABLE when the ledger's database is away.
   */
  measure(tenant: string, filter: HistoryFilter): Promise<MeasuredCalls | undefined>;
}

/** Rates are whole parts per million. */
export const MILLION = 1_000_000n;

/** A month is the twelfth part of 365.25 days: 30.4375, an exact fraction. */
export const DAYS_PER_MONTH = 30.4375;
const MONTH_DAYS = { numerator: 487n, denominator: 16n };
const LARGE_SCALE = 10n;

/** `value` times a million as an integer, halves up. Exact for values with up to six decimals. */
export function millionthsOf(value: number): bigint {
  return BigInt(Math.round(value * 1e6));
}

/** How often an attempt is paid. */
export interface EstimateFactors {
  readonly requestsPerDay: bigint;
  /** 0 to 1,000,000. */
  readonly cacheHitMillionths: bigint;
  /** At least 1,000,000. */
  readonly attemptsMillionths: bigint;
}

/** An amount in nano-USD. Each is rounded by itself, so the total may differ by one from the sum of its parts. */
export interface EstimatedAmount {
  readonly inputNanoUsd: bigint;
  readonly outputNanoUsd: bigint;
  readonly totalNanoUsd: bigint;
}

export interface EstimatedAmounts {
  readonly attempt: EstimatedAmount;
  readonly request: EstimatedAmount;
  readonly day: EstimatedAmount;
  readonly month: EstimatedAmount;
  readonly monthAtTenTimes: EstimatedAmount;
}

/**
 * What requests would cost whose attempts cost as much as `samples` do on average:
 *
 *     request = (1 - hit rate) x attempts per call x attempt
 *     day = requests per day x request, month = 30.4375 x day
 *
 * Every amount is the exact fraction, rounded half up once; none is computed from another one that was rounded.
 * @param samples at least one.
 */
export function estimateAmounts(samples: readonly ExactCost[], factors: EstimateFactors): EstimatedAmounts {
  const sum = {
    input: samples.reduce((total, { inputFemtoUsd }) => total + inputFemtoUsd, 0n),
    output: samples.reduce((total, { outputFemtoUsd }) => total + outputFemtoUsd, 0n),
  };
  const attempt = { numerator: 1n, denominator: BigInt(samples.length) };
  const request = {
    numerator: (MILLION - factors.cacheHitMillionths) * factors.attemptsMillionths,
    denominator: attempt.denominator * MILLION * MILLION,
  };
  const day = { ...request, numerator: request.numerator * factors.requestsPerDay };
  const month = {
    numerator: day.numerator * MONTH_DAYS.numerator,
    denominator: day.denominator * MONTH_DAYS.denominator,
  };
  const times = ({ numerator, denominator }: { numerator: bigint; denominator: bigint }): EstimatedAmount => {
    const amount = (femtoUsd: bigint) => divideHalfUp(femtoUsd * numerator, denominator * MILLION);
    return {
      inputNanoUsd: amount(sum.input),
      outputNanoUsd: amount(sum.output),
      totalNanoUsd: amount(sum.input + sum.output),
    };
  };
  return {
    attempt: times(attempt),
    request: times(request),
    day: times(day),
    month: times(month),
    monthAtTenTimes: times({ ...month, numerator: month.numerator * LARGE_SCALE }),
  };
}
