import type { Clock } from "../../core/clock.ts";
import type { Ledger } from "../../core/ledger.ts";
import type { Log } from "../../core/log.ts";
import { Drain } from "./drain.ts";
import type { LedgerStore } from "./ledger-store.ts";
import type { Spool } from "./spool.ts";

export interface LedgerStatus {
  /** Records that are not in the store yet. Those of a dead process's spool count once it is being drained. */
  readonly pendingRecords: number;
  /** Size of the segments that are still there. */
  readonly pendingBytes: number;
  readonly openAttempts: number;
  /** Whether paid calls are refused: the spool is full, or its disk does not take records. */
  readonly isRefusing: boolean;
  /** Records of calls without attempts that were dropped for want of room. */
  readonly droppedRecords: number;
  /** When a batch was last stored. */
  readonly lastDrainAt?: Date;
  /** Everything that was recorded before is in the store or set aside. Absent until the store has caught up once. */
  readonly completeUntilMs?: number;
  /** Why the store is away. Absent while it works. */
  readonly lastError?: unknown;
}

/** A ledger whose records go to the spool first, and to the store beside the calls. */
export interface DrainedLedger extends Ledger {
  /** Begins to drain. */
  start(): void;
  /** Resolves to true once everything recorded so far is stored, to false when that took longer than `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Stops draining after the batch under way and closes the spool. What is not stored is stored after the next start. */
  close(): Promise<void>;
  status(): LedgerStatus;
}

/** How often a flush looks whether it is done. */
const FLUSH_POLL_MS = 20;

/**
 * The ledger over an open spool. The store may arrive later: until the promise resolves, and while the store is away,
 * records wait in the spool. If it rejects, they wait for the next start. The store is closed by whoever opened it.
 */
export function createLedger(ports: {
  readonly spool: Spool;
  readonly store: LedgerStore | Promise<LedgerStore>;
  readonly log: Log;
  readonly clock: Clock;
}): DrainedLedger {
  const { spool, log, clock } = ports;
  const store = Promise.resolve(ports.store);
  // Whether or not the drain is ever started, a store that fails to open must not end the process.
  store.catch(() => {});
  const drain = new Drain({ spool, store, log, clock });
  let running: Promise<void> | undefined;
  let closed: Promise<void> | undefined;

  const pendingRecords = () => spool.status().records - drain.storedRecords;
  const isDrained = () => pendingRecords() === 0 && spool.status().adoptedBytes === 0;

  const close = async () => {
    drain.stop();
    await running;
    await drain.removeStored().catch((error: unknown) => log.error("ledger_close_failed", { error }));
    await spool.close();
  };

  return {
    record: (record) => spool.record(record),
    start() {
      if (running || closed) return;
      spool.onAppend = () => drain.wake();
      running = drain.run();
    },
    async flush(timeoutMs) {
      const end = clock.monotonicMs() + timeoutMs;
      const forever = new AbortController().signal;
      while (!isDrained()) {
        const leftMs = end - clock.monotonicMs();
        if (leftMs <= 0) return false;
        drain.wake();
        await clock.sleep(Math.min(FLUSH_POLL_MS, leftMs), forever);
      }
      return true;
    },
    close: () => {
      closed ??= close();
      return closed;
    },
    status: () => {
      const { bytes, openAttempts, isRefusing, droppedRecords } = spool.status();
      return {
        pendingRecords: pendingRecords(),
        pendingBytes: bytes,
        openAttempts,
        isRefusing,
        droppedRecords,
        ...(drain.lastDrainAt && { lastDrainAt: drain.lastDrainAt }),
        ...(drain.completeUntilMs !== undefined && { completeUntilMs: drain.completeUntilMs }),
        ...(drain.lastError !== undefined && { lastError: drain.lastError }),
      };
    },
  };
}
