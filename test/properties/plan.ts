import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { StructuredOutputMode, UpstreamErrorKind } from "../../src/core/model.ts";

/** What an attempt can meet upstream. */
export type FaultClass =
  | UpstreamErrorKind
  | "good"
  /** Some deltas, then the connection is gone. */
  | "cut"
  /** The events end and none of them says why the model stopped. */
  | "no_end"
  /** Nothing more comes after some deltas, until the attempt's time is over. */
  | "stall"
  /** JSON in a fence, with prose around it. For text, a good answer. */
  | "wrapped_json"
  | "malformed_json"
  | "wrong_shape"
  | "bad_semantics"
  /** Ran into its number of output tokens, half way. */
  | "truncated"
  /** Ran into it with the last character of a whole answer. */
  | "length_whole"
  | "blank"
  | "usage_missing"
  | "usage_absurd"
  /** The provider says that it read much less than it was sent. */
  | "read_a_part";

/** One scripted outcome. What does not apply to its class is not looked at. */
export interface OutcomePlan {
  readonly fault: FaultClass;
  readonly delayMs: number;
  /** Between deltas. */
  readonly gapMs: number;
  /** Where the text is cut into deltas, each a share of what is left. */
  readonly cuts: readonly number[];
  /** How many deltas come before a failure. */
  readonly deltasBefore: number;
  readonly httpStatus: number;
  readonly waitMs?: number;
  readonly retry?: boolean;
  readonly reportsUsage: boolean;
  /** The provider's own numbers, for overflows and output limits. */
  readonly limit?: number;
  readonly maxOutputTokens?: number;
}

export interface ModelPlan {
  readonly alias: string;
  readonly provider: string;
  readonly fallbacks: readonly string[];
  readonly escalateTo?: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly structuredOutput: StructuredOutputMode;
  readonly synthetic: boolean;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  /** In order, then from the first again. */
  readonly outcomes: readonly OutcomePlan[];
}

export interface QuestionPlan {
  readonly output: "text" | "json";
  readonly hasChecks: boolean;
  readonly model: string;
  /** A prompt of the library, instead of messages. */
  readonly usesPrompt: boolean;
  /** Of its last message, beside a few. */
  readonly words: number;
  readonly chunks: number;
  /** Earlier turns of the conversation. */
  readonly turns: number;
  readonly maxOutputTokens?: number;
  /** Breaks a rule of the contract; not for prompts. */
  readonly isInvalid: boolean;
}

export interface CallerPlan {
  readonly atMs: number;
  readonly question: number;
  readonly tenant: string;
  readonly method: "Complete" | "StreamComplete";
  readonly timeoutMs: number;
  readonly cacheMode: CacheMode;
  readonly leavesAfterMs?: number;
  /** Stops reading a stream after so many events. */
  readonly stopsAfterEvents?: number;
  /** Between two reads of a stream. */
  readonly readEveryMs: number;
}

/** Everything that a run is made of; two runs of one plan are the same. */
export interface Plan {
  readonly seed: number;
  readonly models: readonly ModelPlan[];
  readonly retry: {
    readonly maxAttempts: number;
    readonly maxCorrections: number;
    readonly backoffBaseMs: number;
    readonly backoffMaxMs: number;
    readonly maxWaitMs: number;
  };
  readonly questions: readonly QuestionPlan[];
  readonly callers: readonly CallerPlan[];
  readonly hasSharedCache: boolean;
  readonly sharedCacheMs: number;
  readonly ledgerMs: number;
  readonly hasPrices: boolean;
  readonly wallShifts: readonly { readonly atMs: number; readonly ms: number }[];
}

export const cacheModes = [
  CacheMode.UNSPECIFIED,
  CacheMode.BYPASS,
  CacheMode.REFRESH,
  CacheMode.ONLY_IF_CACHED,
] as const;
