/** Amounts are integers of nano-USD (10^-9 USD); prices are integers of nano-USD per million tokens. */
export interface Price {
  readonly promptNanoUsdPerMillionTokens: bigint;
  readonly cachedPromptNanoUsdPerMillionTokens: bigint;
  readonly completionNanoUsdPerMillionTokens: bigint;
  /** The price list and its version, such as "genai-prices 0.1.8" or "override". */
  readonly version: string;
}

/** Finds what a model costs. `undefined` is unknown, and unknown is never 0. */
export interface PriceBook {
  price(provider: { readonly id: string; readonly baseUrl?: string }, providerModel: string): Price | undefined;
}

/** Token counts of one attempt. Cached prompt tokens are part of the prompt, reasoning tokens part of the completion. */
export interface TokenCounts {
  readonly promptTokens: number;
  readonly cachedPromptTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

const MILLION = 1_000_000n;

/**
 * The price of one attempt in nano-USD: (fresh prompt x its price + cached prompt x its price + completion x its price)
 * / 10^6, rounded half up once, at the end.
 */
export function costNanoUsd(tokens: TokenCounts, price: Price): bigint {
  const cached = BigInt(Math.min(tokens.cachedPromptTokens, tokens.promptTokens));
  const fresh = BigInt(tokens.promptTokens) - cached;
  const millionths =
    fresh * price.promptNanoUsdPerMillionTokens +
    cached * price.cachedPromptNanoUsdPerMillionTokens +
    BigInt(tokens.completionTokens) * price.completionNanoUsdPerMillionTokens;
  return (millionths + MILLION / 2n) / MILLION;
}

/** `1234567n` → `"$0.001234567"`, without trailing zeros but at least two decimals. */
export function formatNanoUsd(amount: bigint): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return `${sign}$${digits.slice(0, -9)}.${fraction}`;
}
