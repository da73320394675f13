import { create } from "@bufbuild/protobuf";
import {
  type CostEstimate,
  CostEstimateSchema,
  type EstimateInput,
  EstimateInputSchema,
} from "../../gen/sluice/v1/estimate_pb.ts";
import type { Call } from "../core/call.ts";
import type { Clock } from "../core/clock.ts";
import { type CostEstimator, DAYS_PER_MONTH, type FeatureHistory } from "../core/estimate.ts";
import { invalidRequest } from "../core/failure.ts";
import type { ModelTarget } from "../core/model.ts";
import type { PriceBook } from "../core/money.ts";
import type { BuildContextPorts } from "./build-context.ts";
import { factorMessage, findFactors } from "./estimate/factors.ts";
import { type Measured, measuredMessage, measureHistory } from "./estimate/history.ts";
import { estimateModel } from "./estimate/model-estimate.ts";
import { countSamples, type PromptSizes } from "./estimate/prompt-sizes.ts";
import { findPromptTokens, givenCachedRate } from "./estimate/tokens.ts";
import { checkMessage, type ValidatePorts } from "./validate.ts";

export interface EstimatePorts extends ValidatePorts, BuildContextPorts {
  readonly prices: PriceBook;
  readonly history: FeatureHistory;
  readonly clock: Clock;
}

/** Estimates costs of the configured models: tokens × prices × how often they are paid. Calls no model. */
export function createEstimator(ports: EstimatePorts): CostEstimator {
  return { estimate: (call, input) => estimate(ports, call, input) };
}

async function estimate(ports: EstimatePorts, call: Call, input: EstimateInput | undefined): Promise<CostEstimate> {
  if (!input) throw invalidRequest("input", "required", "value is required");
  checkMessage(EstimateInputSchema, input, "input");
  refuseContradictions(input);
  const targets = targetsOf(ports, input);
  const measured = await measureHistory(ports, call, input);
  const factors = findFactors(input, measured);
  const sizes = await sizesFor(ports, call, { input, targets, ...(measured && { measured }) });
  return create(CostEstimateSchema, {
    requestsPerDay: input.requestsPerDay,
    cacheHits: factorMessage(factors.cacheHits),
    attemptsPerCall: factorMessage(factors.attemptsPerCall),
    daysPerMonth: DAYS_PER_MONTH,
    history: measured && measuredMessage(measured),
    models: [...sizes].map(([target, size]) => estimateModel(ports.prices, target, size, factors)),
  });
}

/** What no rule of a single field can say. */
function refuseContradictions(input: EstimateInput): void {
  const { prompt, promptTokens, completionTokens, reasoningTokens } = input;
  if (prompt && promptTokens !== undefined) {
    throw invalidRequest("input.prompt_tokens", "exclusive", "set either prompt_tokens or prompt, not both");
  }
  if (reasoningTokens === undefined) return;
  if (completionTokens === undefined) {
    throw invalidRequest("input.reasoning_tokens", "needs_completion_tokens", "set completion_tokens too");
  }
  if (reasoningTokens > completionTokens) {
    const what = "must not be more than completion_tokens, which they are a part of";
    throw invalidRequest("input.reasoning_tokens", "part_of_completion_tokens", what);
  }
}

function targetsOf({ models, prompts }: EstimatePorts, { models: aliases, prompt }: EstimateInput): ModelTarget[] {
  const loaded = prompt && prompts.get(prompt.name, prompt.version);
  const asked = aliases.length > 0 ? aliases : [loaded?.model ?? models.defaultAlias];
  return asked.map((alias) => models.resolve(alias));
}

/** The prompt tokens of each model: counted for each where there are samples, else the same for all. */
async function sizesFor(
  ports: EstimatePorts,
  call: Call,
  { input, targets, measured }: { input: EstimateInput; targets: readonly ModelTarget[]; measured?: Measured },
): Promise<ReadonlyMap<ModelTarget, PromptSizes>> {
  if (input.prompt) return countSamples(ports, call, input.prompt, { targets, cached: givenCachedRate(input) });
  const sizes = findPromptTokens(input, measured);
  return new Map(targets.map((target) => [target, sizes]));
}
