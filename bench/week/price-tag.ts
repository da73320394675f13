import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { type WeekModel, type WeekPrice, weekModels } from "./cast.ts";
import type { LoggedRequest, ReportedTokens } from "./upstream.ts";

/** What a request came to by the provider's log. */
export interface PricedRequest {
  readonly tokens: ReportedTokens;
  readonly alias: string;
  /** Whether the provider reported no tokens, so that texts were counted. */
  readonly isEstimated: boolean;
  /** Undefined: nobody knows. */
  readonly nanoUsd: bigint | undefined;
}

const NO_TOKENS: ReportedTokens = { prompt: 0, cached: 0, written: 0, completion: 0, reasoning: 0 };

/** What chat formats add around a message, and around all of them. */
const TOKENS_AROUND = 3;

/**
 * Prices a request of the log. On purpose this shares no code with the service: it multiplies decimal texts exactly and
 * rounds each request once, halves up.
 */
export function priceRequest({ providerModel, outcome }: LoggedRequest): PricedRequest {
  const { alias } = modelOf(providerModel);
  if (outcome.kind === "refused") return { tokens: NO_TOKENS, alias, isEstimated: false, nanoUsd: 0n };
  const isEstimated = outcome.kind === "unreported";
  const tokens = isEstimated ? countTexts(outcome.prompt, outcome.answer) : outcome.tokens;
  return { tokens, alias, isEstimated, nanoUsd: priceTokens(providerModel, tokens) };
}

/** What tokens cost at a model; undefined is unknown. */
export function priceTokens(providerModel: string, tokens: Partial<ReportedTokens>): bigint | undefined {
  const { price } = modelOf(providerModel);
  return price && nanoUsd({ ...NO_TOKENS, ...tokens }, price);
}

function modelOf(providerModel: string): WeekModel {
  const models: readonly WeekModel[] = weekModels;
  const model = models.find((candidate) => candidate.providerModel === providerModel);
  if (!model) throw new Error(`there is no model ${providerModel}`);
  return model;
}

/** The tokens of a prompt whose messages have these texts, by o200k and what chat formats add. */
export function estimatedPrompt(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + countTokens(text) + TOKENS_AROUND, TOKENS_AROUND);
}

function countTexts(prompt: readonly string[], answer: string): ReportedTokens {
  return { ...NO_TOKENS, prompt: estimatedPrompt(prompt), completion: answer === "" ? 0 : countTokens(answer) };
}

/** One million tokens at one USD, in the unit of the sums below: 10^-18 USD. */
const DECIMALS = 12;
const UNITS_OF_A_NANO_USD = 10n ** 9n;

function nanoUsd({ prompt, cached, written, completion, reasoning }: ReportedTokens, price: WeekPrice): bigint {
  const at = price.long && prompt > price.long.abovePromptTokens ? price.long : price;
  const units =
    BigInt(prompt - cached - written) * scaled(at.prompt) +
    BigInt(cached) * scaled(at.cached) +
    BigInt(written) * scaled(at.written ?? at.prompt) +
    BigInt(completion - reasoning) * scaled(at.completion) +
    BigInt(reasoning) * scaled(at.reasoning ?? at.completion) +
    // A thousandth of the fee for a thousand requests, of which the prices for a million tokens are a thousandth.
    1_000n * scaled(price.fee ?? "0");
  return (units + UNITS_OF_A_NANO_USD / 2n) / UNITS_OF_A_NANO_USD;
}

/** `"1.25"` → 1.25 × 10^12. */
function scaled(decimal: string): bigint {
  const [whole = "0", fraction = ""] = decimal.split(".");
  return BigInt(whole + fraction.padEnd(DECIMALS, "0"));
}
