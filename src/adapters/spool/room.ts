import { SluiceError } from "../../core/failure.ts";
import type { Log } from "../../core/log.ts";

/**
 * Kept free for each attempt that is under way: its end and the end of its call, which are 0.5 to 1 KB each with the
 * longest names that the contract allows.
 */
export const OUTCOME_RESERVE_BYTES = 4096;
/** How long a caller is told to wait for room: about what the drain needs for a few batches. */
const RETRY_AFTER_MS = 5000;
/** The share of the bound at which the operator is warned. */
const WARN_SHARE = 0.8;
/** The share below which a spool that was full counts as having room again. */
const CLEAR_SHARE = 0.95;

/** The failure of a paid call that cannot be recorded. */
export function spoolUnavailable(maxBytes: number, cause?: unknown): SluiceError {
  return new SluiceError(
    { reason: "STORE_UNAVAILABLE", resource: "ledger_spool", limit: maxBytes, retryAfterMs: RETRY_AFTER_MS },
    { cause },
  );
}

type Fill = "free" | "filling" | "full";

/** The bound of the spool: what lies in it, and what is kept free for the outcomes of attempts that are under way. */
export class Room {
  readonly #maxBytes: number;
  readonly #log: Log;
  #usedBytes = 0;
  #openAttempts = 0;
  #fill: Fill = "free";

  constructor(maxBytes: number, log: Log) {
    this.#maxBytes = maxBytes;
    this.#log = log;
  }

  /** Whether attempts are refused for want of room. */
  get isFull(): boolean {
    return this.#fill === "full";
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Counts bytes that are there whether or not there is room: outcomes, dead letters, spools of dead processes. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
    this.#note(this.#level());
  }

  free(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#note(this.#level());
  }

  /** Takes room for the start of an attempt and keeps room for its outcome, or refuses both. */
  admitAttempt(bytes: number): boolean {
    if (!this.#fits(bytes + OUTCOME_RESERVE_BYTES)) return false;
    this.#openAttempts += 1;
    this.add(bytes);
    return true;
  }

  /** Takes room for a record that may be dropped. */
  admitOptional(bytes: number): boolean {
    if (!this.#fits(bytes)) return false;
    this.add(bytes);
    return true;
  }

  attemptEnded(): void {
    this.#openAttempts -= 1;
    this.#note(this.#level());
  }

  #fits(bytes: number): boolean {
    const fits = this.#usedBytes + this.#openAttempts * OUTCOME_RESERVE_BYTES + bytes <= this.#maxBytes;
    if (!fits) this.#note("full");
    return fits;
  }

  #level(): Fill {
    const taken = this.#usedBytes + this.#openAttempts * OUTCOME_RESERVE_BYTES;
    // Refusals stop at once where there is room, but the state is told only after some has gathered, not at each byte.
    if (this.#fill === "full" && taken >= this.#maxBytes * CLEAR_SHARE) return "full";
    return taken >= this.#maxBytes * WARN_SHARE ? "filling" : "free";
  }

  /** One line per change of state, so that a full spool does not fill the log as well. */
  #note(fill: Fill): void {
    if (fill === this.#fill) return;
    this.#fill = fill;
    const fields = { used_bytes: this.#usedBytes, max_bytes: this.#maxBytes };
    if (fill === "full") this.#log.error("ledger_spool_full", fields);
    else if (fill === "filling") this.#log.warn("ledger_spool_filling", fields);
    else this.#log.info("ledger_spool_has_room", fields);
  }
}
