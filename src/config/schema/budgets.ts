import * as z from "zod";
import { count, plainText } from "./key.ts";

const RANGE = "must be a decimal number of USD above 0, at most 9,000,000, with at most 9 decimals";
const USD_TEXT = /^(?:\d{1,6}|[1-8]\d{6}|9000000)(?:\.\d{1,9})?$/;

/** Whether it is an amount that nano-USD can hold, above 0. Numbers count as they are written: 0.1 is 0.1. */
function isLimit(usd: string): boolean {
  const amount = Number(usd);
  return USD_TEXT.test(usd) && amount > 0 && amount <= 9_000_000;
}

/** A small number as it is written out: 1e-7 is 0.0000001. */
function written(usd: number): string {
  return Math.abs(usd) < 1e-6 ? usd.toFixed(12).replace(/0+$/, "") : String(usd);
}

/** A decimal number of USD, as a number or as text, which keeps every digit. */
const limitUsd = z.union(
  [
    z.number().refine((usd) => isLimit(written(usd)) && Number(written(usd)) === usd, RANGE),
    z.string().refine(isLimit, RANGE),
  ],
  RANGE,
);

const tenant = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/,
    "must be 1 to 64 lower-case letters, digits, hyphens or underscores",
  );

const scope = z.enum(["tenant", "user", "feature", "key"]);

const target = {
  scope: scope.meta({
    description:
      "What has a bucket of its own: every tenant, or within each tenant every user, feature or API key. Calls that name no user, or no feature, share one.",
  }),
  tenant: tenant.optional().meta({ defaultText: "every tenant", description: "The tenant for which it holds." }),
  only: z
    .array(plainText(256))
    .min(1)
    .max(1_000)
    .optional()
    .meta({ defaultText: "all names", description: "Names of the scope for which it holds." }),
};

/** Requests and tokens in a minute: of a key, or of what `rate_limits` names. */
export const perMinute = {
  requests_per_minute: count(1_000_000_000).optional().meta({
    unit: "requests",
    defaultText: "no limit",
    description: "Most calls in a minute, those that the cache answers too; one more is RATE_LIMITED.",
  }),
  tokens_per_minute: count(1_000_000_000).optional().meta({
    unit: "tokens",
    defaultText: "no limit",
    description:
      "Most tokens of prompts and answers in a minute. An attempt counts with its allowed output before it is sent, and with what it used after.",
  }),
};

/** What callers may spend. */
export const budgetKeys = {
  budgets: z
    .array(
      z.strictObject({
        ...target,
        per: z.enum(["day", "month"]).meta({ description: "How long it lasts: a day or a month in UTC." }),
        limit_usd: limitUsd.meta({ unit: "USD", description: "What each bucket may spend." }),
        soft: z.boolean().default(false).meta({
          description: "Whether it only warns. A budget that is not soft refuses models of unknown price.",
        }),
        warn_at: z
          .number()
          .refine((share) => share >= 0.01 && share <= 1, "must be a share from 0.01 to 1: 0.8 is 80 %")
          .default(0.8)
          .meta({ unit: "share", description: "The share of the limit from which on a warning is logged, once." }),
      }),
    )
    .max(32)
    .default([])
    .meta({ description: "Money that may be spent. Every budget that concerns a call must have room for it." }),
  rate_limits: z
    .array(z.strictObject({ ...target, ...perMinute }))
    .max(32)
    .default([])
    .meta({ description: "Calls and tokens that may be used in a minute, besides those of `auth.api_keys`." }),
};
