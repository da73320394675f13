import type { FaultClass, OutcomePlan, Plan, QuestionPlan } from "./plan.ts";

const outcome = (fault: FaultClass, rest: Partial<OutcomePlan> = {}): OutcomePlan => ({
  fault,
  delayMs: 5,
  gapMs: 1,
  cuts: [0.3, 0.5],
  deltasBefore: 0,
  httpStatus: 503,
  reportsUsage: true,
  ...rest,
});

interface Wanted {
  readonly outcomes: readonly OutcomePlan[];
  readonly question?: Partial<QuestionPlan>;
  readonly method?: "Complete" | "StreamComplete";
  readonly callers?: number;
}

function plan({ outcomes, question, method = "Complete", callers = 1 }: Wanted): Plan {
  const model = (alias: string, script: readonly OutcomePlan[]) => ({
    alias,
    provider: "main",
    fallbacks: alias === "fast" ? ["other"] : [],
    escalateTo: alias === "fast" ? "smart" : undefined,
    contextTokens: 4000,
    maxOutputTokens: 200,
    structuredOutput: "json_schema" as const,
    synthetic: false,
    maxConcurrency: 4,
    maxQueue: 4,
    outcomes: script,
  });
  return {
    seed: 1,
    models: [model("fast", outcomes), model("other", [outcome("good")]), model("smart", [outcome("good")])],
    retry: { maxAttempts: 4, maxCorrections: 1, backoffBaseMs: 100, backoffMaxMs: 1000, maxWaitMs: 30_000 },
    questions: [
      {
        output: "text",
        hasChecks: false,
        model: "",
        usesPrompt: false,
        words: 0,
        chunks: 0,
        turns: 0,
        isInvalid: false,
        ...question,
      },
    ],
    callers: Array.from({ length: callers }, () => ({
      atMs: 0,
      question: 0,
      tenant: "acme",
      method,
      timeoutMs: 60_000,
      cacheMode: 0,
      readEveryMs: 0,
    })),
    hasSharedCache: true,
    sharedCacheMs: 1,
    ledgerMs: 1,
    hasPrices: true,
    wallShifts: [],
  };
}

/** One call of each kind, all of which succeed where no port fails. The last outcome of each is a good answer. */
export const portCalls: Readonly<Record<string, Plan>> = {
  "a call": plan({ outcomes: [outcome("good")] }),
  "a stream": plan({ outcomes: [outcome("good")], method: "StreamComplete" }),
  "a prompt with context": plan({ outcomes: [outcome("good")], question: { usesPrompt: true, chunks: 2 } }),
  "two calls that share an answer": plan({ outcomes: [outcome("good")], callers: 2 }),
  "a stream that breaks off and is made anew": plan({
    outcomes: [outcome("cut", { deltasBefore: 1 }), outcome("good")],
    method: "StreamComplete",
  }),
  "a call that is told to wait": plan({ outcomes: [outcome("rate_limited", { waitMs: 300 }), outcome("good")] }),
  "a call that moves on": plan({ outcomes: [outcome("quota_exhausted")] }),
  "JSON that is corrected": plan({
    outcomes: [outcome("wrong_shape"), outcome("good")],
    question: { output: "json" },
    method: "StreamComplete",
  }),
  "an answer that breaks a check": plan({
    outcomes: [outcome("bad_semantics"), outcome("good")],
    question: { hasChecks: true },
  }),
  "JSON that is escalated": plan({ outcomes: [outcome("wrong_shape")], question: { output: "json" } }),
  "JSON that gets more tokens": plan({
    outcomes: [outcome("truncated"), outcome("good")],
    question: { output: "json" },
  }),
};
