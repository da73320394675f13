/** What a million of each kind of token costs, in integers of nano-USD (10^-9 USD). */
export interface TokenPrices {
  readonly promptNanoUsdPerMillionTokens: bigint;
  readonly cachedPromptNanoUsdPerMillionTokens: bigint;
  /** Prompt tokens that the provider wrote to its cache. Absent: they cost what other prompt tokens do. */
  readonly cacheWriteNanoUsdPerMillionTokens?: bigint;
  readonly completionNanoUsdPerMillionTokens: bigint;
  /** Reasoning tokens. Absent: they cost what other completion tokens do. */
  readonly reasoningNanoUsdPerMillionTokens?: bigint;
}

/** Prices of prompts that are longer than a threshold; they hold for every token of the request. */
export interface LongPromptPrices extends TokenPrices {
  readonly abovePromptTokens: number;
}

/** What a model costs: prices of tokens, and of requests where there is one. */
export interface Price extends TokenPrices {
  /** A fee for each request beside its tokens, in nano-USD per million requests. Absent: none. */
  readonly requestNanoUsdPerMillion?: bigint;
  /** By threshold, ascending; the last one that a prompt exceeds holds. Absent: length makes no difference. */
  readonly longPrompts?: readonly LongPromptPrices[];
  /** The price list and its version, such as "genai-prices 0.1.8" or "override". */
  readonly version: string;
}

/** Finds what a model costs. `undefined` is unknown, and unknown is never 0. */
export interface PriceBook {
  price(provider: { readonly id: string; readonly baseUrl?: string }, providerModel: string): Price | undefined;
}

/**
 * Token counts of one attempt. Cached prompt tokens and those written to the provider's cache are part of the prompt,
 * reasoning tokens part of the completion.
 */
export interface TokenCounts {
  readonly promptTokens: number;
  readonly cachedPromptTokens: number;
  /** Absent where the provider does not report it. */
  readonly cacheWriteTokens?: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** An exact amount in two parts, each in femto-USD (10^-15 USD, a millionth of a nano-USD). */
export interface ExactCost {
  /** Prompt tokens, and the fee for the request. */
  readonly inputFemtoUsd: bigint;
  /** Completion tokens. */
  readonly outputFemtoUsd: bigint;
}

const FEMTO_PER_NANO = 1_000_000n;

/** The price of one attempt in nano-USD: its exact cost, rounded half up once. */
export function costNanoUsd(tokens: TokenCounts, price: Price): bigint {
  const { inputFemtoUsd, outputFemtoUsd } = exactCost(tokens, price);
  return roundToNanoUsd(inputFemtoUsd + outputFemtoUsd);
}

/** Femto-USD → nano-USD, rounded half up. */
export function roundToNanoUsd(femtoUsd: bigint): bigint {
  return divideHalfUp(femtoUsd, FEMTO_PER_NANO);
}

/**
 * The price of one attempt, exactly: each token at the price of its kind, once, and the fee for the request. A token at
 * one nano-USD per million costs one femto-USD. A part is never larger than its whole, whatever a provider reports.
 */
export function exactCost(tokens: TokenCounts, price: Price): ExactCost {
  const prices = pricesFor(tokens.promptTokens, price);
  const prompt = BigInt(tokens.promptTokens);
  const cached = smaller(BigInt(tokens.cachedPromptTokens), prompt);
  const written = smaller(BigInt(tokens.cacheWriteTokens ?? 0), prompt - cached);
  const completion = BigInt(tokens.completionTokens);
  const reasoning = smaller(BigInt(tokens.reasoningTokens), completion);
  return {
    inputFemtoUsd:
      (prompt - cached - written) * prices.promptNanoUsdPerMillionTokens +
      cached * prices.cachedPromptNanoUsdPerMillionTokens +
      written * (prices.cacheWriteNanoUsdPerMillionTokens ?? prices.promptNanoUsdPerMillionTokens) +
      (price.requestNanoUsdPerMillion ?? 0n),
    outputFemtoUsd:
      (completion - reasoning) * prices.completionNanoUsdPerMillionTokens +
      reasoning * (prices.reasoningNanoUsdPerMillionTokens ?? prices.completionNanoUsdPerMillionTokens),
  };
}

/** The prices that hold for a request with so many prompt tokens, cached ones included. */
export function pricesFor(promptTokens: number, price: Price): TokenPrices {
  return price.longPrompts?.findLast(({ abovePromptTokens }) => promptTokens > abovePromptTokens) ?? price;
}

/** `numerator / denominator`, rounded to the nearest integer, halves up. Neither may be negative. */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** `1234567n` → `"$0.001234567"`, without trailing zeros but at least two decimals. */
export function formatNanoUsd(amount: bigint): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return `${sign}$${digits.slice(0, -9)}.${fraction}`;
}
