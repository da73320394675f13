import { after, type Clock } from "../../../core/clock.ts";
import { SluiceError } from "../../../core/failure.ts";
import type { IdempotencyKey } from "../../../core/idempotency.ts";
import type { Log } from "../../../core/log.ts";
import type { StoredOutcome } from "./outcome.ts";
import type { IdempotentRows } from "./rows.ts";

/** Longest that a call waits for its outcome to be stored. */
const PATIENCE_MS = 2000;
const MAX_PENDING = 1000;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** Rows live no longer, so that nobody could ask for what is older. */
const LIFETIME_MS = 24 * 3_600_000;
const BACKOFF_BASE_MS = 250;
/** Not much longer: whoever repeats such a call waits for it. */
const BACKOFF_MAX_MS = 2000;

/** How a turn ended, and has to be written down. */
interface Settlement {
  readonly key: IdempotencyKey;
  /** Absent: the key is free again. */
  readonly outcome: StoredOutcome | undefined;
  readonly endedAtMs: number;
}

export interface SettlementPorts {
  readonly rows: IdempotentRows;
  readonly clock: Clock;
  readonly log: Log;
  /** The turn needs no lease any more. */
  onSettled(key: IdempotencyKey): void;
}

/** Writes down how turns ended. What a database that is away does not take is tried again, beside the calls. */
export class Settlements {
  readonly #ports: SettlementPorts;
  readonly #pending = new Set<Settlement>();
  readonly #closing = new AbortController();
  #pendingBytes = 0;
  #isDraining = false;

  constructor(ports: SettlementPorts) {
    this.#ports = ports;
  }

  /** Resolves when it is written, or after 2 seconds, or at once while the database is known to be away. */
  async settle(key: IdempotencyKey, outcome?: StoredOutcome): Promise<void> {
    const settlement = { key, outcome, endedAtMs: this.#ports.clock.monotonicMs() };
    if (this.#pending.size > 0) return this.#postpone(settlement);
    await this.#atMost(
      PATIENCE_MS,
      this.#write(settlement).catch(() => this.#postpone(settlement)),
    );
  }

  /** Tries once more what is left, for at most 2 seconds. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#atMost(
      PATIENCE_MS,
      this.#writeAll().catch(() => {}),
    );
    if (this.#pending.size > 0) this.#ports.log.warn("idempotent_outcomes_lost", { count: this.#pending.size });
  }

  /** @throws SluiceError STORE_UNAVAILABLE when it is worth trying again. */
  async #write({ key, outcome }: Settlement): Promise<void> {
    const { rows, log, onSettled } = this.#ports;
    try {
      if (!outcome) await rows.release(key);
      else if (!(await rows.keep(key, outcome))) log.warn("idempotent_turn_lost", { call_id: key.callId });
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      log.error("idempotent_outcome_refused", { call_id: key.callId, error });
    }
    onSettled(key);
  }

  #postpone(settlement: Settlement): void {
    const bytes = settlement.outcome?.bytes.length ?? 0;
    const { key } = settlement;
    if (this.#pending.size >= MAX_PENDING || this.#pendingBytes + bytes > MAX_PENDING_BYTES) {
      // Without a lease the key is free some seconds later: a repetition of the call is paid again.
      this.#ports.log.warn("idempotent_outcome_dropped", { call_id: key.callId, pending: this.#pending.size });
      this.#ports.onSettled(key);
      return;
    }
    if (settlement.outcome) this.#ports.log.warn("idempotent_outcome_delayed", { call_id: key.callId });
    this.#pending.add(settlement);
    this.#pendingBytes += bytes;
    if (!this.#isDraining && !this.#closing.signal.aborted) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    for (let failures = 0; this.#pending.size > 0; failures += 1) {
      const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures, 10));
      try {
        await this.#ports.clock.sleep(ceiling * (0.5 + this.#ports.clock.random() / 2), this.#closing.signal);
      } catch {
        break;
      }
      await this.#writeAll().catch(() => {});
    }
    this.#isDraining = false;
  }

  /** Oldest first, up to the first that fails. */
  async #writeAll(): Promise<void> {
    for (const settlement of this.#pending) {
      const isOld = this.#ports.clock.monotonicMs() - settlement.endedAtMs > LIFETIME_MS;
      if (isOld) this.#ports.onSettled(settlement.key);
      else await this.#write(settlement);
      this.#pending.delete(settlement);
      this.#pendingBytes -= settlement.outcome?.bytes.length ?? 0;
    }
  }

  async #atMost(ms: number, work: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const callOff = after(this.#ports.clock, ms, resolve);
    await Promise.race([work, promise]).finally(callOff);
  }
}
