import { RateLimitScope } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { Failure } from "./failure.ts";

/** What has a bucket of its own: every tenant, or within each tenant every user, feature or API key. */
export type BudgetScope = "tenant" | "user" | "feature" | "key";

export type BudgetPeriod = "day" | "month";

/** For whom a budget or a limit holds. */
export interface BudgetTarget {
  readonly scope: BudgetScope;
  /** Absent: every tenant. */
  readonly tenant?: string;
  /** Names of the scope. Absent: all, and each has its own bucket. */
  readonly only?: readonly string[];
}

/** So much money for each bucket in each UTC day or month. */
export interface BudgetRule extends BudgetTarget {
  readonly per: BudgetPeriod;
  /** Above 0, at most 9 * 10^15: money in the stores stays below 2^53. */
  readonly limitNanoUsd: bigint;
  /** Whether it only warns. */
  readonly soft: boolean;
  /** The share of the limit from which on a warning is logged, above 0, at most 1. */
  readonly warnAt: number;
}

/** So many calls, or tokens, for each bucket in a minute. A bucket that was idle has a minute's worth at once. */
export interface RateRule extends BudgetTarget {
  readonly unit: "requests" | "tokens";
  readonly perMinute: number;
}

/** Who pays. Empty texts are calls without a feature, a user or a key; they share a bucket. */
export interface BudgetPayer {
  readonly tenant: string;
  readonly feature: string;
  readonly user: string;
  readonly keyId: string;
}

/** What an attempt may come to. */
export interface PlannedAttempt {
  /** Absent: the price is unknown. */
  readonly maxCostNanoUsd: bigint | undefined;
  /** Of the prompt alone: what the ledger charges where the end is never seen. */
  readonly promptCostNanoUsd: bigint | undefined;
  /** Prompt and allowed output. */
  readonly tokens: number;
  /** Alias of the model. */
  readonly model: string;
}

/** What is held back for an attempt until it is known what it cost. */
export interface Reservation {
  /** What it really came to; only the first call counts. Never throws, and nobody waits for it. */
  settle(actual: { readonly costNanoUsd: bigint | undefined; readonly tokens: number }): void;
}

/** Keeps calls within what their payers may spend. */
export interface Budgets {
  /**
   * Counts a call against the requests per minute of its payer.
   * @throws SluiceError RATE_LIMITED (scope CALLER).
   */
  admit(payer: BudgetPayer): Promise<void>;
  /**
   * Reserves what an attempt may cost at most, before it is sent: in every bucket that it concerns, or in none.
   * @throws SluiceError BUDGET_EXCEEDED, or RATE_LIMITED or REQUEST_EXCEEDS_RATE_WINDOW (scope CALLER).
   */
  reserve(payer: BudgetPayer, attempt: PlannedAttempt): Promise<Reservation>;
  /** Budgets and limits in the order of the configuration. `tenant` absent: of all tenants. */
  states(tenant: string | undefined): Promise<readonly BudgetState[]>;
}

/** One budget or limit with its fullest buckets. */
export interface BudgetState {
  readonly rule: BudgetRule | RateRule;
  /** Fullest first, at most 100: those that this process has met, and of budgets those that the ledger knows. */
  readonly buckets: readonly BucketState[];
  /** How many there are at least. */
  readonly bucketCount: number;
  /**
   * Whether buckets may be missing: the ledger did not answer, names share a bucket because there are too many, or it is
   * a limit that processes share, of which each shows what it met itself.
   */
  readonly isPartial: boolean;
}

export interface BucketState {
  readonly tenant: string;
  readonly name: string;
  /** Whether it is what names share that came when there were too many. `name` is empty then. */
  readonly isOverflow: boolean;
  /** Nano-USD, requests or tokens that are used up; for limits per minute, what has not flowed off yet. */
  readonly spent: bigint;
  /** Nano-USD held back for attempts under way. */
  readonly reserved: bigint;
  readonly limit: bigint;
  /** `spent / limit`. */
  readonly share: number;
  /** When the bucket is empty again. */
  readonly resetAtMs: number;
  /** Attempts of unknown price, which count as 0. */
  readonly unpricedAttempts: number;
}

/** A name of which the ledger is asked what it spent until then. */
export interface SpentName {
  readonly name: string;
  readonly toMs: number;
}

/** The ledger's word on what was spent before this process, or this Redis, began to count. */
export interface SpentLedger {
  /**
   * Nano-USD of attempts that began at `fromMs` or later and before the `toMs` of their name, in the order of the names.
   * Unknown prices count as 0. A name may be asked more than once.
   */
  spentSince(
    tenant: string,
    scope: BudgetScope,
    fromMs: number,
    names: readonly SpentName[],
  ): Promise<readonly bigint[]>;
  /**
   * Who spent most in that time, by the same count; nobody who spent nothing.
   * @throws SluiceError STORE_UNAVAILABLE while the database is away, OVERLOADED where it takes too long.
   */
  topSpenders(question: SpendersQuestion): Promise<Spenders>;
}

export interface SpendersQuestion {
  readonly scope: BudgetScope;
  /** Absent: of every tenant. */
  readonly tenant?: string;
  /** Absent: all names of the scope. */
  readonly names?: readonly string[];
  /** The full hour in which it begins. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Most that are told. */
  readonly limit: number;
}

export interface Spenders {
  /** The largest first. */
  readonly spenders: readonly { readonly tenant: string; readonly name: string; readonly nanoUsd: bigint }[];
  /** How many there are, told or not. */
  readonly count: number;
}

/** Whether a failure concerns only the call that was to pay: others who wait for the same answer may pay themselves. */
export function isPayersOwn(failure: Failure): boolean {
  if (failure.reason === "BUDGET_EXCEEDED") return true;
  const isRate = failure.reason === "RATE_LIMITED" || failure.reason === "REQUEST_EXCEEDS_RATE_WINDOW";
  return isRate && failure.scope === RateLimitScope.CALLER;
}

/**
 * Whether a failure to pay would not be this payer's too: then this one may try. The same bucket has no room for either.
 */
export function isOnlyAnothers(failure: Failure, payer: BudgetPayer): boolean {
  if (!isPayersOwn(failure)) return false;
  const bucket = failure.reason === "BUDGET_EXCEEDED" ? failure : "caller" in failure ? failure.caller : undefined;
  if (!bucket) return true;
  const own = { tenant: payer.tenant, user: payer.user, feature: payer.feature, key: payer.keyId };
  return own[bucket.scope] !== bucket.name;
}

/** Where nothing is limited. */
export function noBudgets(): Budgets {
  const reservation: Reservation = { settle() {} };
  return { admit: async () => {}, reserve: async () => reservation, states: async () => [] };
}
