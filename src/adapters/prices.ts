import { readFileSync } from "node:fs";
import { calcPrice, findProvider, type Provider } from "@pydantic/genai-prices";
import { LRUCache } from "lru-cache";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Price, PriceBook } from "../core/money.ts";
import { toPrice } from "./prices/list-price.ts";
import { findOverride, indexOverrides, type PriceOverride } from "./prices/overrides.ts";

export type { PriceOverride } from "./prices/overrides.ts";

/** The id of the sandbox's provider. Its models really cost nothing, so 0 is known here, not unknown. */
const SANDBOX_PROVIDER = "sandbox";
const SANDBOX_PRICE: Price = {
  promptNanoUsdPerMillionTokens: 0n,
  cachedPromptNanoUsdPerMillionTokens: 0n,
  completionNanoUsdPerMillionTokens: 0n,
  version: "sandbox",
};

/** The id of the provider of models that run in the service itself. */
const LOCAL_PROVIDER = "built-in";
const LOCAL_PRICE: Price = { ...SANDBOX_PRICE, version: "built-in" };

/** Models whose price is kept; finding one in the list takes about 40 µs. Names come from the configuration. */
const MAX_RESOLVED_MODELS = 1_000;
const MAX_PROVIDERS = 200;

interface ResolvedPrice {
  readonly price: Price | undefined;
  /** For a price that depends on the date or the time of day: the second, since 1970, in which it was found. */
  readonly second?: number;
}

const LIST_VERSION = `genai-prices ${packageVersion()}`;

/**
 * Prices from the list that ships with `@pydantic/genai-prices`; nothing is fetched. In this order:
 * an override for provider and model, an override for the model, 0 for the provider ids `sandbox` and `built-in`, then the
 * list.
 *
 * The list's provider is found by the base URL, else by a provider id that is exactly one of the list's. A model
 * that it does not know, or knows without a price for prompt tokens, is `undefined`.
 *
 * Prices are those of the moment: the list has the days on which prices changed, and hours that are cheaper.
 *
 * @throws RangeError for an override that is no price, naming its index and field.
 */
export function createPriceBook(options: { overrides?: readonly PriceOverride[]; clock?: Clock } = {}): PriceBook {
  const overrides = indexOverrides(options.overrides ?? []);
  const clock = options.clock ?? systemClock;
  const providers = new LRUCache<string, { found: Provider | undefined }>({ max: MAX_PROVIDERS });
  const resolved = new LRUCache<string, ResolvedPrice>({ max: MAX_RESOLVED_MODELS });

  function listed(provider: { id: string; baseUrl?: string }, model: string): Price | undefined {
    const providerKey = JSON.stringify([provider.id, provider.baseUrl ?? ""]);
    const listProvider = remember(providers, providerKey, () => ({ found: listProviderOf(provider) })).found;
    if (!listProvider) return undefined;
    const modelKey = JSON.stringify([listProvider.id, model]);
    const known = resolved.get(modelKey);
    const nowMs = clock.nowMs();
    const second = Math.floor(nowMs / 1000);
    if (known && (known.second === undefined || known.second === second)) return known.price;
    const result = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, {
      provider: listProvider,
      timestamp: new Date(nowMs),
    });
    const price = result ? toPrice(result.model_price, LIST_VERSION) : undefined;
    const changes = Array.isArray(result?.model.prices);
    resolved.set(modelKey, { price, ...(changes && { second }) });
    return price;
  }

  return {
    price(provider, providerModel) {
      const override = findOverride(overrides, provider.id, providerModel);
      if (override) return override;
      if (provider.id === LOCAL_PROVIDER) return LOCAL_PRICE;
      return provider.id === SANDBOX_PROVIDER ? SANDBOX_PRICE : listed(provider, providerModel);
    },
  };
}

function remember<V extends object>(cache: LRUCache<string, V>, key: string, make: () => V): V {
  const known = cache.get(key);
  if (known) return known;
  const made = make();
  cache.set(key, made);
  return made;
}

function listProviderOf(provider: { id: string; baseUrl?: string }): Provider | undefined {
  const byUrl = provider.baseUrl ? findProvider({ providerApiUrl: provider.baseUrl }) : undefined;
  if (byUrl) return byUrl;
  // The list matches ids loosely ("contains openai"); "my-openai-compatible-server" must not get OpenAI's prices.
  const byId = findProvider({ providerId: provider.id });
  return byId?.id === provider.id ? byId : undefined;
}

function packageVersion(): string {
  // The package exports only its entry point, so its package.json is found from there (dist/index.js).
  const entry = import.meta.resolve("@pydantic/genai-prices");
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", entry), "utf8"));
  if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) {
    throw new Error("the package.json of @pydantic/genai-prices has no version");
  }
  return String(manifest.version);
}
