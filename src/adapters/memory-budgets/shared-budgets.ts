import type { MoneyBucket, RateBucket } from "./book.ts";

/** An attempt on its way into the buckets that processes share. All are of one tenant. */
export interface SharedRequest {
  readonly tenant: string;
  readonly money: readonly MoneyBucket[];
  readonly rates: readonly RateBucket[];
  /** Names the reservation; no other of any process has it. */
  readonly id: string;
  readonly amount: number;
  /** What it counts as once it is forgotten. */
  readonly estimate: number;
  /** Requests or tokens. */
  readonly units: number;
  /** Whether a bucket may be made that is not there: not before the ledger was asked what it begins with. */
  mayCreate(bucket: MoneyBucket): boolean;
}

/** A budget as it is shared. */
export interface SharedMoney {
  readonly epoch: string;
  /** When it was made, by the clock of the store. */
  readonly sinceMs: number;
  readonly spent: number;
  readonly reserved: number;
  readonly unpriced: number;
  /** Whether it is known what it began with. */
  readonly isSeeded: boolean;
}

/** States are in the order of the request. Unless it is granted nothing is reserved. */
export type SharedReply =
  /** These are not there and must not be made yet. */
  | { readonly kind: "missing"; readonly money: readonly number[] }
  /** There are too many names for one more. */
  | { readonly kind: "full"; readonly money: number }
  | {
      readonly kind: "granted" | "refused";
      /** Who refuses: its place among the budgets, then the limits; -1 where nobody does. */
      readonly refusedBy: number;
      /** The time of the store. */
      readonly nowMs: number;
      /** `undefined` where a refusal made no bucket, for it would hold nothing. */
      readonly money: readonly (SharedMoney | undefined)[];
      /** How full the limits are, in units times 60,000. */
      readonly levels: readonly number[];
    };

/** A reservation that is over. */
export interface Removal {
  readonly id: string;
  readonly amount: number;
  readonly estimate: number;
  /** Of the bucket that is known to have it; empty where nobody knows whether it has. */
  readonly epoch: string;
}

/** What happened to a bucket here and has to be told. */
export interface MoneyChange {
  readonly bucket: MoneyBucket;
  readonly spent: number;
  readonly unpriced: number;
  readonly removals: readonly Removal[];
  /** What the ledger said that the bucket of this epoch began with. */
  readonly seed?: { readonly epoch: string; readonly amount: number };
}

export interface RateChange {
  readonly bucket: RateBucket;
  readonly units: number;
}

/** Changes of one tenant. A batch may be sent until there is an answer: it counts once. */
export interface Batch {
  readonly tenant: string;
  /** Above that of every earlier batch of this process and tenant. */
  readonly sequence: number;
  readonly money: readonly MoneyChange[];
  readonly rates: readonly RateChange[];
}

/** Buckets that processes share. Nothing here throws; no answer in time is `undefined`, whatever came of it. */
export interface SharedBudgets {
  /** "not_sent": it cannot have been reserved. */
  reserve(request: SharedRequest): Promise<SharedReply | "not_sent" | undefined>;
  /** The budgets after it, in the order of the batch. */
  settle(batch: Batch): Promise<readonly SharedMoney[] | undefined>;
  /** The budgets that are there. */
  look(tenant: string, money: readonly MoneyBucket[]): Promise<readonly (SharedMoney | undefined)[] | undefined>;
  close(): Promise<void>;
}
