import { AttemptCause } from "../../../gen/sluice/v1/attempt_pb.ts";
import type { UpstreamErrorFields } from "../../core/model.ts";
import type { FitLimits } from "../build-context/fit.ts";
import type { Leg } from "./route.ts";

/** A provider that finds the prompt too long gets at most this share of it. */
const SHORTEN_TO = 0.7;
/** Kept free of what the provider's own numbers leave room for: its count and ours differ. */
const MARGIN = 0.95;

/**
 * What to change after a failure that a different request may mend. Undefined where it was changed before, or where
 * there is nothing left to take away.
 */
export function changedLimits(
  error: UpstreamErrorFields,
  { fitted }: Leg,
  limits: FitLimits,
): { readonly limits: FitLimits; readonly cause: AttemptCause } | undefined {
  const reserved = fitted.sampling.maxOutputTokens;
  if (error.kind === "json_mode_refused") {
    if (limits.withoutJsonMode) return undefined;
    return { limits: { ...limits, withoutJsonMode: true }, cause: AttemptCause.JSON_MODE };
  }
  // A prompt that fits by itself is not shortened: less is reserved for the answer.
  const told = error.maxOutputTokens;
  if (error.kind === "output_limit_invalid" || (told !== undefined && told < reserved)) {
    const isLess = told !== undefined && told < reserved;
    // Who finds too much what its own words allow may count otherwise, or have put in a number of its own: half, once.
    if (!isLess && limits.maxOutputTokens !== undefined) return undefined;
    const maxOutputTokens = isLess ? told : Math.floor(reserved / 2);
    if (maxOutputTokens < 1) return undefined;
    return { limits: { ...limits, maxOutputTokens, outputAllowed: maxOutputTokens }, cause: AttemptCause.OUTPUT_LIMIT };
  }
  const windowTokens = reserved + Math.floor(fitted.budget.promptTokens * shareThatFits(error, reserved));
  return { limits: { ...limits, windowTokens }, cause: AttemptCause.TRUNCATED };
}

/**
 * Twice the output tokens, up to what the model, the provider's own words and the window beside this prompt allow: no
 * part of the prompt makes room for more answer. Undefined where there are no more.
 */
export function moreOutput({ target, fitted }: Leg, limits: FitLimits): FitLimits | undefined {
  const now = fitted.sampling.maxOutputTokens;
  const freeTokens = fitted.budget.windowTokens - fitted.budget.promptTokens;
  const allowed = Math.min(target.maxOutputTokens, limits.outputAllowed ?? Number.POSITIVE_INFINITY, freeTokens);
  const maxOutputTokens = Math.min(now * 2, allowed);
  return maxOutputTokens > now ? { ...limits, maxOutputTokens } : undefined;
}

function shareThatFits({ limit, requested }: UpstreamErrorFields, reservedTokens: number): number {
  if (limit === undefined || !requested) return SHORTEN_TO;
  return Math.min(SHORTEN_TO, Math.max(0, ((limit - reservedTokens) / requested) * MARGIN));
}
