/** What usage can be grouped by. A day and an hour are in UTC. */
export type UsageDimension =
  | "feature"
  | "user"
  | "model"
  | "prompt"
  | "prompt_version"
  | "tenant"
  | "day"
  | "hour"
  | "error_reason"
  | "cache_status";

/** Each list means any of its values; an empty one means all. */
export interface UsageFilter {
  readonly features: readonly string[];
  readonly users: readonly string[];
  readonly models: readonly string[];
  readonly promptNames: readonly string[];
  readonly promptVersions: readonly string[];
  /** "" is a call that did not fail. */
  readonly errorReasons: readonly string[];
  /** Words of the ledger: "miss", "memory_hit" …; "" is a call without an answer. */
  readonly cacheStatuses: readonly string[];
  /** Absent: both. */
  readonly synthetic?: boolean;
}

/** Whose calls, begun when: from `fromMs` up to, not including, `toMs`. */
export interface UsageScope {
  /** Absent: all tenants. */
  readonly tenant?: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly filter: UsageFilter;
}

/** What a summary can be ordered by: time ascending, all else descending. */
export type UsageOrder = "cost" | "calls" | "tokens" | "failed_calls" | "saved" | "time";

/** Both times are whole hours. */
export interface UsageQuery extends UsageScope {
  readonly groupBy: readonly UsageDimension[];
  readonly order: UsageOrder;
  /** Most rows; what is left over is one more. */
  readonly limit: number;
}

/** Sums of money and tokens are of attempts, everything else is of calls. */
export interface UsageSums {
  readonly calls: bigint;
  readonly failedCalls: bigint;
  readonly memoryHits: bigint;
  readonly sharedHits: bigint;
  readonly joinedCalls: bigint;
  readonly replayedCalls: bigint;
  readonly savedNanoUsd: bigint;
  /** Cached answers whose saving is unknown and not in the sum. */
  readonly unpricedHits: bigint;
  readonly attempts: bigint;
  readonly promptTokens: bigint;
  readonly cachedPromptTokens: bigint;
  readonly completionTokens: bigint;
  readonly reasoningTokens: bigint;
  readonly costNanoUsd: bigint;
  /** Attempts of unknown price, which are not in the sum. */
  readonly unpricedAttempts: bigint;
  readonly estimatedAttempts: bigint;
  /** Absent where there is no call. */
  readonly latency?: LatencyPercentiles;
}

/** In milliseconds; each at most 2 % off. */
export interface LatencyPercentiles {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

/** A value for each dimension that was asked; times in milliseconds since 1970. */
export type UsageKey = Partial<Record<UsageDimension, string | number>>;

export interface UsageRow {
  readonly key: UsageKey;
  readonly sums: UsageSums;
}

export interface UsageSummary {
  readonly rows: readonly UsageRow[];
  /** What the rows leave out, and how many rows that would be. Absent where they leave out nothing. */
  readonly rest?: { readonly groups: bigint; readonly sums: UsageSums };
  readonly total: UsageSums;
  /** The models whose attempts are in part of unknown price, most first, at most 20. */
  readonly unpricedModels: readonly { readonly model: string; readonly attempts: bigint }[];
}

export type CallOrder = "newest" | "dearest" | "slowest";

/** Where a page begins: after this call, in the order of the list. */
export interface CallPosition {
  readonly tenant: string;
  readonly callId: string;
  readonly calledAtMs: number;
  /** Cost (-1: unknown) or latency, as far as that is the order. */
  readonly value: bigint;
}

/** Both times are exact to the millisecond. */
export interface CallQuery extends UsageScope {
  readonly onlyFailed: boolean;
  readonly minCostNanoUsd?: bigint;
  readonly minLatencyMs?: bigint;
  readonly order: CallOrder;
  readonly after?: CallPosition;
  readonly limit: number;
}

/** A call that has ended, as the ledger has it. Money that is absent is unknown. */
export interface StoredCall {
  readonly tenant: string;
  readonly callId: string;
  readonly calledAtMs: number;
  readonly feature: string;
  readonly user: string;
  readonly method: string;
  readonly promptName: string;
  readonly promptVersion: string;
  readonly model: string;
  readonly answeredBy: string;
  readonly cacheStatus: string;
  readonly attempts: number;
  readonly promptTokens: bigint;
  readonly cachedPromptTokens: bigint;
  readonly completionTokens: bigint;
  readonly reasoningTokens: bigint;
  readonly usageEstimated: boolean;
  readonly costNanoUsd?: bigint;
  readonly savedNanoUsd?: bigint;
  readonly latencyMs: bigint;
  readonly stageMs: Readonly<Record<string, number>>;
  readonly synthetic: boolean;
  readonly errorReason: string;
  readonly finishedAtMs: number;
}

/** One attempt as the ledger has it. What only its start or only its end says is absent while that has not arrived. */
export interface StoredAttempt {
  readonly number: number;
  readonly start?: {
    readonly feature: string;
    readonly user: string;
    readonly method: string;
    readonly promptName: string;
    readonly promptVersion: string;
    readonly model: string;
    readonly provider: string;
    readonly providerModel: string;
    readonly synthetic: boolean;
    readonly cause: string;
    readonly waitMs: bigint;
    readonly estimatedPromptTokens: bigint;
    readonly estimatedCostNanoUsd?: bigint;
    readonly startedAtMs: number;
  };
  readonly end?: {
    readonly promptTokens: bigint;
    readonly cachedPromptTokens: bigint;
    readonly completionTokens: bigint;
    readonly reasoningTokens: bigint;
    readonly usageEstimated: boolean;
    readonly costNanoUsd?: bigint;
    readonly priceVersion: string;
    readonly latencyMs: bigint;
    readonly timeToFirstTokenMs?: bigint;
    readonly httpStatus: number;
    readonly errorReason: string;
    readonly finishedAtMs: number;
  };
}

/** Everything that is known of one call. A call whose process died has attempts only. */
export interface CallHistory {
  readonly call?: StoredCall;
  readonly attempts: readonly StoredAttempt[];
}

/**
 * The stored ledger, for questions. Every method throws SluiceError STORE_UNAVAILABLE while the database is away or
 * opening, and OVERLOADED where the question takes too long.
 */
export interface UsageStore {
  summarize(query: UsageQuery): Promise<UsageSummary>;
  /** At most `limit` calls in order. */
  listCalls(query: CallQuery): Promise<readonly StoredCall[]>;
  /** `undefined` where there is neither a call nor an attempt. */
  getCall(tenant: string, callId: string): Promise<CallHistory | undefined>;
}

/** What of the ledger is not in the store yet. */
export interface UsageBacklog {
  /** Records of this process that wait in its spool. */
  readonly pendingRecords: number;
  /** Everything that this process recorded before is in the store. Absent where nothing is known to be. */
  readonly completeUntilMs?: number;
}
