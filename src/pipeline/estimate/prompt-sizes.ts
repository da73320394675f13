import { setImmediate as nextTurn } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { CompletionInputSchema } from "../../../gen/sluice/v1/completion_input_pb.ts";
import { type EstimatePrompt, EstimateSource, type SampleInput } from "../../../gen/sluice/v1/estimate_pb.ts";
import type { Call } from "../../core/call.ts";
import { SluiceError } from "../../core/failure.ts";
import type { ModelTarget } from "../../core/model.ts";
import type { TokenCounter } from "../../core/tokens.ts";
import { type BuildContextPorts, buildContext } from "../build-context.ts";
import { type ValidatePorts, validate } from "../validate.ts";
import type { Sourced } from "./factors.ts";

/** The prompt tokens of each sample. */
export interface PromptSizes {
  readonly promptTokens: readonly bigint[];
  readonly source: EstimateSource;
  /** Share of them that the provider's cache answers, in millionths. */
  readonly cached: Sourced;
  /** The sample, from 1, that the model has no room for. */
  readonly tooLarge?: number;
}

type CountPorts = ValidatePorts & BuildContextPorts;

/**
 * Builds the prompt of every sample as a call to each model would, with all its refusals, and counts as a call does.
 * @throws SluiceError INVALID_REQUEST with the path below `input.prompt.samples`, UNKNOWN_PROMPT.
 */
export async function countSamples(
  ports: CountPorts,
  call: Call,
  prompt: EstimatePrompt,
  { targets, cached }: { readonly targets: readonly ModelTarget[]; readonly cached: Sourced },
): Promise<ReadonlyMap<ModelTarget, PromptSizes>> {
  const counting = { ...ports, counter: rememberCounts(ports.counter) };
  const sizes = new Map<ModelTarget, PromptSizes>();
  for (const target of targets) {
    const promptTokens: bigint[] = [];
    let tooLarge: number | undefined;
    for (const [index, sample] of prompt.samples.entries()) {
      // Samples may be long: between two of them other calls have their turn, and a caller who left is noticed.
      await nextTurn();
      call.signal.throwIfAborted();
      const tokens = withPathOfSample(index, () => tokensOf(counting, prompt, sample, target));
      if (tokens === undefined) tooLarge ??= index + 1;
      else promptTokens.push(BigInt(tokens));
    }
    const counted = { promptTokens, source: EstimateSource.SAMPLES, cached };
    sizes.set(target, tooLarge === undefined ? counted : { ...counted, tooLarge });
  }
  return sizes;
}

/** `undefined`: it does not fit. */
function tokensOf(
  ports: CountPorts,
  { name, version }: EstimatePrompt,
  { variables, variablesJson }: SampleInput,
  { alias }: ModelTarget,
): number | undefined {
  const input = create(CompletionInputSchema, {
    prompt: { name, version, ...(variables && { variables }), variablesJson },
    model: alias,
  });
  try {
    return buildContext(ports, validate(ports, input)).fitted.budget.promptTokens;
  } catch (error) {
    if (error instanceof SluiceError && error.failure.reason === "CONTEXT_OVERFLOW") return undefined;
    throw error;
  }
}

/** Stages name variables from `input.prompt`; here they lie in a sample. */
function withPathOfSample<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.failure.reason !== "INVALID_REQUEST") throw error;
    const violations = error.failure.violations.map((violation) => ({
      ...violation,
      field: violation.field.replace(/^input\.prompt\.(?=variables)/, `input.prompt.samples[${index}].`),
    }));
    throw new SluiceError({ reason: "INVALID_REQUEST", violations }, { cause: error });
  }
}

/** Several models of one family count the same texts alike. What is remembered goes with the request. */
function rememberCounts(counter: TokenCounter): TokenCounter {
  const counts = new Map<string, Map<string, number>>();
  return {
    count(text, family) {
      const known = counts.get(family) ?? new Map<string, number>();
      counts.set(family, known);
      const count = known.get(text) ?? counter.count(text, family);
      known.set(text, count);
      return count;
    },
    observe: (family, counted, reported) => counter.observe(family, counted, reported),
  };
}
