import { SluiceError } from "../../core/failure.ts";
import type { IdempotencyKey, IdempotentCalls, IdempotentTurn, Outcome } from "../../core/idempotency.ts";
import { Database, type DatabasePorts, storeUnavailable, UnsureError } from "./idempotent-calls/database.ts";
import { Leases } from "./idempotent-calls/leases.ts";
import { decodeOutcome, encodeOutcome, type StoredOutcome } from "./idempotent-calls/outcome.ts";
import { IdempotentRows, type Taken } from "./idempotent-calls/rows.ts";
import { Settlements } from "./idempotent-calls/settlements.ts";
import { startSweeper } from "./idempotent-calls/sweeper.ts";
import { untilAborted } from "./idempotent-calls/until-aborted.ts";
import { Watches } from "./idempotent-calls/watches.ts";

export interface IdempotentCallsOptions extends DatabasePorts {
  /** How long a call that is not heard of is believed to be alive, in milliseconds. Default 15,000; renewed thrice. */
  readonly leaseMs?: number;
}

/** Larger outcomes are not kept: a repetition of such a call is paid again. */
export const MAX_OUTCOME_BYTES = 4 * 1024 * 1024;

/**
 * Idempotent calls in a table of Postgres or PGlite. `close` tries once more to write what is not written, for at most
 * 2 seconds, and leaves the pool to whoever opened it; it must not be closed before.
 */
export function createIdempotentCalls(options: IdempotentCallsOptions): IdempotentCalls & { close(): Promise<void> } {
  const { clock, log, leaseMs = 15_000 } = options;
  const rows = new IdempotentRows(new Database(options), leaseMs);
  const leases = new Leases(rows, clock, leaseMs);
  const watches = new Watches(rows, clock);
  const onSettled = (key: IdempotencyKey) => {
    leases.drop(key);
    watches.wake(key);
  };
  const settlements = new Settlements({ rows, clock, log, onSettled });
  const stopSweeper = startSweeper(rows, clock);

  const toStore = (key: IdempotencyKey, outcome: Outcome): StoredOutcome | undefined => {
    try {
      const stored = encodeOutcome(outcome);
      if (stored && stored.bytes.length <= MAX_OUTCOME_BYTES) return stored;
      log.warn("idempotent_outcome_not_kept", { call_id: key.callId, kind: outcome.kind, bytes: stored?.bytes.length });
    } catch (error) {
      log.error("idempotent_outcome_not_kept", { call_id: key.callId, kind: outcome.kind, error });
    }
    return undefined;
  };

  const turn = (key: IdempotencyKey, isTakenOver: boolean): IdempotentTurn => {
    leases.hold(key);
    let end: Promise<void> | undefined;
    // What comes first counts: an outcome that is kept is not released by whoever tidies up.
    const settle = (outcome?: Outcome) => {
      end ??= settlements.settle(key, outcome && toStore(key, outcome));
      return end;
    };
    return { kind: "turn", isTakenOver, keep: settle, release: () => settle() };
  };

  /** Takes the turn back that a caller got who did not wait for it, or may have got. */
  const undo = async (taking: Promise<Taken>, key: IdempotencyKey) => {
    try {
      if ((await taking).kind === "turn") await settlements.settle(key);
    } catch (error) {
      if (error instanceof UnsureError) await settlements.settle(key);
    }
  };

  const replayed = (outcome: StoredOutcome): Outcome => {
    try {
      return decodeOutcome(outcome);
    } catch (error) {
      log.error("idempotent_outcome_unreadable", { kind: outcome.kind, error });
      throw storeUnavailable(error);
    }
  };

  return {
    async begin(key, signal) {
      for (;;) {
        signal.throwIfAborted();
        const taking = rows.take(key);
        const taken = await untilAborted(taking, signal).catch((error: unknown) => {
          void undo(taking, key);
          throw error;
        });
        if (taken.kind === "turn") return turn(key, taken.isTakenOver);
        if (taken.kind === "outcome") return replayed(taken.outcome);
        if (taken.kind === "conflict") {
          const { firstCallId, firstStartedAtMs } = taken;
          throw new SluiceError({ reason: "IDEMPOTENCY_CONFLICT", key: key.key, firstCallId, firstStartedAtMs });
        }
        if (taken.kind === "running") await watches.wait(key, signal);
      }
    },
    async close() {
      stopSweeper();
      watches.close();
      leases.close();
      await settlements.close();
    },
  };
}
