import type { ModelPrice } from "@pydantic/genai-prices";
import type { Price, TokenPrices } from "../../core/money.ts";
import { nanoUsdOf } from "./decimal.ts";

/** A price of the list in integers; `undefined` where it has none for prompt tokens. */
export function toPrice(listed: ModelPrice, version: string): Price | undefined {
  const base = tokenPrices((name) => baseOf(listed[name]));
  if (!base) return undefined;
  const longPrompts = thresholds(listed).flatMap((abovePromptTokens) => {
    const prices = tokenPrices((name) => priceAbove(listed[name], abovePromptTokens));
    return prices ? [{ ...prices, abovePromptTokens }] : [];
  });
  const perThousandRequests = baseOf(listed.requests_kcount);
  return {
    ...base,
    ...(perThousandRequests !== undefined && { requestNanoUsdPerMillion: perThousandRequests * 1000n }),
    ...(longPrompts.length > 0 && { longPrompts }),
    version,
  };
}

type ListedPrice = ModelPrice[string];

/** The kinds of price that a request of text can cost. */
type PriceName = "input_mtok" | "cache_read_mtok" | "cache_write_mtok" | "output_mtok" | "output_reasoning_mtok";

function tokenPrices(read: (name: PriceName) => bigint | undefined): TokenPrices | undefined {
  const prompt = read("input_mtok");
  if (prompt === undefined) return undefined;
  const written = read("cache_write_mtok");
  const reasoning = read("output_reasoning_mtok");
  return {
    promptNanoUsdPerMillionTokens: prompt,
    cachedPromptNanoUsdPerMillionTokens: read("cache_read_mtok") ?? prompt,
    ...(written !== undefined && { cacheWriteNanoUsdPerMillionTokens: written }),
    // Not listed for embeddings, which have no completion tokens, and for old models that charge both alike.
    completionNanoUsdPerMillionTokens: read("output_mtok") ?? prompt,
    ...(reasoning !== undefined && { reasoningNanoUsdPerMillionTokens: reasoning }),
  };
}

/** Numbers of prompt tokens above which some price is another, ascending. */
function thresholds(listed: ModelPrice): number[] {
  const found = new Set<number>();
  for (const price of Object.values(listed)) {
    if (typeof price === "object") for (const { start } of price.tiers) found.add(start);
  }
  return [...found].sort((a, b) => a - b);
}

function baseOf(price: ListedPrice): bigint | undefined {
  if (price === undefined) return undefined;
  return nanoUsdOf(typeof price === "number" ? price : price.base);
}

/** The price of prompts longer than `tokens`: that of the highest tier that begins there or below. */
function priceAbove(price: ListedPrice, tokens: number): bigint | undefined {
  if (typeof price !== "object") return baseOf(price);
  const reached = price.tiers.filter(({ start }) => start <= tokens).sort((a, b) => b.start - a.start);
  const [highest] = reached;
  return highest ? nanoUsdOf(highest.price) : baseOf(price);
}
