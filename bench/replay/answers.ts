import { createHash } from "node:crypto";
import type { Feature } from "./features.ts";
import { models } from "./features.ts";

/** What the model makes of a question: always the same, so that its price is known before it is asked. */
export interface PricedAnswer {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costNanoUsd: number;
}

/** Long answers are at most so many times the middle. */
const LONGEST = 10;

/** Lengths differ by question; a few are long. */
export function answerTo(question: string, feature: Feature): PricedAnswer {
  const bytes = createHash("sha256").update(question).digest();
  const [promptLot, answerLot] = [bytes.readUInt32BE(0) / 2 ** 32, bytes.readUInt32BE(4) / 2 ** 32];
  const promptTokens = Math.round(feature.inputTokens * (0.5 + promptLot));
  // A Pareto tail: half are below the middle, one in twenty above four times of it.
  const completionTokens = Math.round(feature.answerTokens * Math.min(LONGEST, 0.7 * (1 - answerLot) ** -0.5));
  const { promptNanoUsd, completionNanoUsd } = models[feature.model];
  return {
    promptTokens,
    completionTokens,
    costNanoUsd: promptTokens * promptNanoUsd + completionTokens * completionNanoUsd,
  };
}
