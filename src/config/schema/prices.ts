import * as z from "zod";
import { plainText } from "./key.ts";
import { identifier } from "./providers.ts";

const RANGE = "must be a decimal number of USD, 0 to 1,000,000";
/** At most twelve decimals. */
const USD_TEXT = /^(?:\d{1,6}(?:\.\d{1,12})?|1000000(?:\.0{1,12})?)$/;

/** Text keeps every digit; the few prices that a double cannot hold are none that anybody asks, but it costs nothing. */
const usd = z.union([z.number().min(0).max(1_000_000), z.string().regex(USD_TEXT, RANGE)], RANGE);

const unit = "USD per million tokens";

/** What tokens of each kind cost. */
const tokenPrices = {
  prompt_usd_per_million: usd.meta({ unit, description: "Price of prompt tokens." }),
  cached_prompt_usd_per_million: usd.optional().meta({
    unit,
    defaultText: "`prompt_usd_per_million`",
    description: "Price of prompt tokens that the provider answers from its cache.",
  }),
  cache_write_usd_per_million: usd.optional().meta({
    unit,
    defaultText: "`prompt_usd_per_million`",
    description: "Price of prompt tokens that the provider writes to its cache.",
  }),
  completion_usd_per_million: usd.meta({
    unit,
    description: "Price of completion tokens, reasoning included unless it has its own.",
  }),
  reasoning_usd_per_million: usd.optional().meta({
    unit,
    defaultText: "`completion_usd_per_million`",
    description: "Price of reasoning tokens, which are a part of the completion.",
  }),
};

/** What models cost. */
export const priceKeys = {
  prices: z
    .strictObject({
      override: z
        .array(
          z.strictObject({
            provider: identifier.optional().meta({
              defaultText: "every provider",
              description: "Id of the provider.",
            }),
            model: plainText(256).meta({
              description: "The name by which the provider calls the model; that of a model in `models`.",
            }),
            ...tokenPrices,
            usd_per_thousand_requests: usd.optional().meta({
              unit: "USD per thousand requests",
              defaultText: "no fee",
              description: "Fee for requests beside their tokens.",
            }),
            long_prompts: z
              .array(
                z.strictObject({
                  above_prompt_tokens: z.int().min(1).max(100_000_000).meta({
                    unit: "tokens",
                    description: "Prompts with more tokens than this, cached ones included, have these prices.",
                  }),
                  ...tokenPrices,
                }),
              )
              .max(8)
              .optional()
              .meta({
                defaultText: "none",
                description: "Prices of longer prompts; they hold for all tokens of the request, the answer's too.",
              }),
          }),
        )
        .max(10_000)
        .default([])
        .meta({ description: "Prices that replace the built-in list's, one entry for each model of a provider." }),
    })
    .prefault({})
    .meta({ description: "What models cost." }),
};
