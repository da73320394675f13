import * as z from "zod";
import { plainText } from "./key.ts";
import { identifier } from "./providers.ts";

/** Text keeps every digit; the few prices that a double cannot hold are none that anybody asks, but it costs nothing. */
const usd = z.union(
  [z.number().min(0).max(1_000_000), z.string().regex(/^\d{1,6}(?:\.\d{1,12})?$/)],
  "must be a decimal number of USD, 0 to 1,000,000",
);

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
            model: plainText(256).meta({ description: "The name by which the provider calls the model." }),
            prompt_usd_per_million: usd.meta({
              unit: "USD per million tokens",
              description: "Price of prompt tokens.",
            }),
            cached_prompt_usd_per_million: usd.optional().meta({
              unit: "USD per million tokens",
              defaultText: "`prompt_usd_per_million`",
              description: "Price of prompt tokens that the provider answers from its cache.",
            }),
            completion_usd_per_million: usd.meta({
              unit: "USD per million tokens",
              description: "Price of completion tokens, reasoning included.",
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
