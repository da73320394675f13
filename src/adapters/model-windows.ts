import { calcPrice } from "@pydantic/genai-prices";

/** The windows come with a price list; no tokens are needed to find a model in it. */
const noTokens = { input_tokens: 0, output_tokens: 0 };

/**
 * The context window of a model in tokens, prompt and answer together, as the built-in list knows it: first by the
 * provider's address, then, for proxies and gateways, by the model's name alone. Undefined where it is not known.
 */
export function knownContextTokens(provider: { readonly baseUrl: string }, providerModel: string): number | undefined {
  const found =
    calcPrice(noTokens, providerModel, { providerApiUrl: provider.baseUrl }) ?? calcPrice(noTokens, providerModel);
  return found?.model.context_window;
}
