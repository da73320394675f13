import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { seeded } from "../pipeline/parse/random.ts";
import { answerClasses, errorKinds } from "./fault-classes.ts";
import {
  type CallerPlan,
  cacheModes,
  type FaultClass,
  type ModelPlan,
  type OutcomePlan,
  type Plan,
  type QuestionPlan,
} from "./plan.ts";

const DAY_MS = 86_400_000;
const aliases = ["fast", "other", "smart"] as const;

const breaks = ["cut", "no_end", "stall"] as const satisfies readonly FaultClass[];

/** The run of this seed: the same seed draws the same plan everywhere. */
export function drawPlan(seed: number): Plan {
  const random = seeded(seed);
  const models = drawModels(random);
  // Mostly one or a few; now and then enough to fill queues and to open circuits.
  const isCrowd = chance(random, 0.05);
  const questions = times(1 + below(random, isCrowd ? 12 : 3), () => drawQuestion(random, models));
  const callers = isCrowd ? 8 + below(random, 16) : chance(random, 0.35) ? 1 : 1 + below(random, 5);
  return {
    seed,
    models,
    questions,
    retry: {
      maxAttempts: 1 + below(random, 6),
      maxCorrections: below(random, 3),
      backoffBaseMs: pick(random, [1, 50, 200]),
      backoffMaxMs: pick(random, [200, 2000, 8000]),
      maxWaitMs: pick(random, [0, 1000, 30_000, 30_000]),
    },
    callers: times(callers, () => drawCaller(random, questions.length, isCrowd)),
    hasSharedCache: chance(random, 0.3),
    sharedCacheMs: pick(random, [0, 0, 3, 40]),
    ledgerMs: pick(random, [0, 0, 0, 1, 20]),
    hasPrices: chance(random, 0.9),
    wallShifts: chance(random, 0.1)
      ? [{ atMs: below(random, 3000), ms: pick(random, [-DAY_MS, -5000, 3_600_000]) }]
      : [],
  };
}

function drawModels(random: () => number): ModelPlan[] {
  const count = 1 + below(random, aliases.length);
  // A mix of its own for each run: some are mostly well, some answer badly, some are mostly down.
  const mood = { failing: random(), answering: random() };
  return aliases.slice(0, count).map((alias, index) => {
    const later = aliases.slice(index + 1, count);
    return {
      alias,
      // Two aliases may lead to one provider, but never to one of its models.
      provider: chance(random, 0.7) ? "main" : "second",
      fallbacks: later.filter(() => chance(random, 0.6)),
      escalateTo: later.length > 0 && chance(random, 0.5) ? pick(random, later) : undefined,
      contextTokens: pick(random, [300, 1000, 4000, 8000]),
      maxOutputTokens: pick(random, [60, 200]),
      structuredOutput: pick(random, ["json_schema", "json_object", "prompt"]),
      synthetic: chance(random, 0.1),
      maxConcurrency: pick(random, [1, 2, 64]),
      maxQueue: pick(random, [0, 1, 256]),
      outcomes: times(1 + below(random, 7), () => drawOutcome(random, mood)),
    };
  });
}

function drawOutcome(random: () => number, mood: { failing: number; answering: number }): OutcomePlan {
  const fails = chance(random, mood.failing);
  const fault = fails ? drawFailure(random) : chance(random, mood.answering) ? pick(random, answerClasses) : "good";
  const waits = fails && chance(random, fault === "rate_limited" || fault === "overloaded" ? 0.7 : 0.2);
  return {
    fault,
    delayMs: pick(random, [0, 0, 1, 40, 900, 3000]),
    gapMs: pick(random, [0, 0, 0, 5, 200]),
    cuts: times(below(random, 6), random),
    deltasBefore: chance(random, 0.3) ? below(random, 5) : 0,
    httpStatus: pick(random, [0, 400, 429, 429, 500, 503]),
    waitMs: waits ? drawWait(random) : undefined,
    retry: fails && chance(random, 0.1) ? chance(random, 0.4) : undefined,
    reportsUsage: chance(random, fails ? 0.2 : 0.8),
    limit: chance(random, 0.3) ? 20 + below(random, 2000) : undefined,
    maxOutputTokens: chance(random, 0.3) ? 1 + below(random, 300) : undefined,
  };
}

function drawFailure(random: () => number): FaultClass {
  if (chance(random, 0.2)) return pick(random, breaks);
  if (chance(random, 0.3)) return pick(random, ["rate_limited", "overloaded"]);
  return pick(random, errorKinds);
}

/** From nothing to a day, and what no provider should say. */
function drawWait(random: () => number): number {
  const size = below(random, 10);
  if (size < 5) return 1 + below(random, 3000);
  return pick(random, [0, 1, 20_000, 40_000, 3_600_000, DAY_MS, 1e15, -5]);
}

function drawQuestion(random: () => number, models: readonly ModelPlan[]): QuestionPlan {
  const output = chance(random, 0.5) ? "json" : "text";
  return {
    output,
    hasChecks: chance(random, 0.4),
    model: chance(random, 0.02) ? "nobody" : pick(random, ["", "", "", models.at(-1)?.alias ?? ""]),
    usesPrompt: chance(random, 0.2),
    words: chance(random, 0.08) ? 3000 : 0,
    chunks: chance(random, 0.3) ? 1 + below(random, 4) : 0,
    turns: chance(random, 0.2) ? 1 + below(random, 3) : 0,
    maxOutputTokens: chance(random, 0.15) ? 1 + below(random, 200) : undefined,
    isInvalid: chance(random, 0.01),
  };
}

function drawCaller(random: () => number, questions: number, isCrowd: boolean): CallerPlan {
  const isStream = chance(random, 0.5);
  return {
    atMs: chance(random, 0.5) ? 0 : below(random, pick(random, [10, 2000, 30_000])),
    // Often the same, so that calls meet.
    question: chance(random, isCrowd ? 0.1 : 0.6) ? 0 : below(random, questions),
    tenant: chance(random, 0.8) ? "acme" : "other",
    method: isStream ? "StreamComplete" : "Complete",
    timeoutMs: pick(random, [5, 300, 3000, 20_000, 60_000, 60_000, 600_000]),
    cacheMode: chance(random, 0.7) ? CacheMode.UNSPECIFIED : pick(random, cacheModes),
    leavesAfterMs: chance(random, 0.15) ? below(random, pick(random, [1, 50, 5000])) : undefined,
    stopsAfterEvents: isStream && chance(random, 0.08) ? below(random, 4) : undefined,
    readEveryMs: isStream && chance(random, 0.25) ? pick(random, [1, 30, 700]) : 0,
  };
}

function pick<T>(random: () => number, list: readonly T[]): T {
  const found = list[below(random, list.length)];
  if (found === undefined) throw new RangeError("picked from an empty list");
  return found;
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

function chance(random: () => number, share: number): boolean {
  return random() < share;
}
