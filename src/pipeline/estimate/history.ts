import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EstimateInput, MeasuredHistorySchema } from "../../../gen/sluice/v1/estimate_pb.ts";
import type { Call } from "../../core/call.ts";
import type { Clock } from "../../core/clock.ts";
import type { FeatureHistory, MeasuredCalls } from "../../core/estimate.ts";
import { invalidRequest } from "../../core/failure.ts";

const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

/** What was measured, and of what. */
export interface Measured {
  readonly calls: MeasuredCalls;
  readonly feature: string;
  readonly prompt: string;
  readonly days: number;
}

/**
 * Measures where a feature is named, and where a prompt is but nobody says how long its answers are.
 * @throws SluiceError INVALID_REQUEST where the ledger has no such call, STORE_UNAVAILABLE where it is away.
 */
export async function measureHistory(
  { history, clock }: { readonly history: FeatureHistory; readonly clock: Clock },
  call: Call,
  input: EstimateInput,
): Promise<Measured | undefined> {
  const { feature, prompt } = input;
  if (feature === "" && (!prompt || input.completionTokens !== undefined)) return undefined;
  const days = input.historyDays || DEFAULT_DAYS;
  const toMs = clock.nowMs();
  const filter = { feature, prompt: prompt?.name ?? "", fromMs: toMs - days * DAY_MS, toMs };
  const calls = await history.measure(call.caller.tenant, filter);
  if (calls) return { calls, feature, prompt: filter.prompt, days };
  const span = days === 1 ? "the last day" : `the last ${days} days`;
  if (feature === "") {
    const what = `is required: the ledger has no call of this prompt in ${span} to measure answers of`;
    throw invalidRequest("input.completion_tokens", "required", what);
  }
  const of = prompt ? " with this prompt" : "";
  throw invalidRequest("input.feature", "no_history", `the ledger has no call of this feature${of} in ${span}`);
}

export function measuredMessage({ calls, ...what }: Measured): MessageInitShape<typeof MeasuredHistorySchema> {
  return { ...what, ...calls };
}
