import type { Reservation } from "../../core/budgets.ts";
import type { Clock } from "../../core/clock.ts";
import { toAmount } from "./amount.ts";
import type { Claim } from "./claim.ts";
import { add, MINUTE_MS } from "./rate.ts";
import type { Sharing } from "./sharing.ts";
import type { Warnings } from "./warnings.ts";

/** Where a claim was taken from: the shared buckets, perhaps there, or this process's view alone. */
export type TakenFrom = "taken" | "unknown" | "not_sent";

interface Hold {
  readonly claim: Claim;
  /** For each budget the epoch of the shared bucket that has the reservation; empty where none is known to. */
  readonly epochs: readonly string[];
  readonly from: TakenFrom;
  readonly sinceMs: number;
  /** What it was counted as when it was forgotten. */
  expiredAs?: number;
  isSettled: boolean;
}

/** What is held back for attempts of this process until it is known what they cost. */
export class Holds {
  readonly #clock: Clock;
  readonly #warnings: Warnings;
  readonly #holdMs: number;
  readonly #sharing?: Sharing;
  /** Oldest first. */
  readonly #open = new Set<Hold>();

  constructor(ports: {
    readonly clock: Clock;
    readonly warnings: Warnings;
    readonly holdMs: number;
    readonly sharing?: Sharing;
  }) {
    this.#clock = ports.clock;
    this.#warnings = ports.warnings;
    this.#holdMs = ports.holdMs;
    if (ports.sharing) this.#sharing = ports.sharing;
  }

  /** A claim was taken; called in the same turn. */
  hold(claim: Claim, from: TakenFrom): Reservation {
    const epochs = claim.money.map(({ epoch }) => (from === "taken" ? epoch : ""));
    const hold: Hold = { claim, epochs, from, sinceMs: this.#clock.monotonicMs(), isSettled: false };
    this.#open.add(hold);
    return {
      settle: ({ costNanoUsd, tokens }) => {
        if (hold.isSettled) return;
        hold.isSettled = true;
        const isUnpriced = costNanoUsd === undefined && claim.attempt.maxCostNanoUsd === undefined;
        // A cost that is unknown although the price was known counts as the most that it may be.
        const cost = costNanoUsd === undefined ? claim.amount : toAmount(costNanoUsd);
        this.#end(hold, cost, isUnpriced ? 1 : 0);
        this.#correct(hold, tokens);
      },
    };
  }

  /** Forgets what nobody ended, and counts it as the ledger does: with the estimate of its prompt. */
  expire(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const hold of this.#open) {
      if (hold.sinceMs + this.#holdMs > nowMs) return;
      this.#end(hold, hold.claim.estimate, 0);
      hold.expiredAs = hold.claim.estimate;
    }
  }

  #end(hold: Hold, cost: number, unpriced: number): void {
    const { claim, epochs, from, expiredAs } = hold;
    this.#open.delete(hold);
    const spent = cost - (expiredAs ?? 0);
    for (const [index, bucket] of claim.money.entries()) {
      if (expiredAs === undefined) bucket.reserved -= claim.amount;
      bucket.spent += spent;
      bucket.unpriced += unpriced;
      const { id, amount, estimate } = claim;
      const removal = { id, amount, estimate, epoch: epochs[index] ?? "" };
      const isThere = expiredAs === undefined && from !== "not_sent";
      this.#sharing?.spent(bucket, { spent, unpriced, ...(isThere && { removal }) });
      this.#warnings.spent(bucket);
    }
  }

  /** What was not used is given back within the minute; after that it has flowed off. */
  #correct({ claim, from, sinceMs }: Hold, tokens: number): void {
    const nowMs = this.#clock.monotonicMs();
    const units = Math.max(0, tokens) - claim.units;
    if (units === 0 || (units < 0 && nowMs - sinceMs >= MINUTE_MS)) return;
    for (const bucket of claim.rates) {
      add(bucket, units, bucket.rule.rule.perMinute, nowMs);
      if (from === "taken") this.#sharing?.corrected(bucket, units);
    }
  }
}
