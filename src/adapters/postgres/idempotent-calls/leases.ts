import type { Clock } from "../../../core/clock.ts";
import type { IdempotencyKey } from "../../../core/idempotency.ts";
import type { IdempotentRows } from "./rows.ts";

/** Says of all turns of this process, in one statement, that their calls are alive. */
export class Leases {
  readonly #rows: IdempotentRows;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #held = new Set<IdempotencyKey>();
  readonly #closing = new AbortController();
  #isRunning = false;

  constructor(rows: IdempotentRows, clock: Clock, leaseMs: number) {
    this.#rows = rows;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  hold(key: IdempotencyKey): void {
    this.#held.add(key);
    if (!this.#isRunning) void this.#run();
  }

  drop(key: IdempotencyKey): void {
    this.#held.delete(key);
  }

  close(): void {
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let hasFailed = false;
    while (this.#held.size > 0) {
      // Twice in the time of a lease even where one statement takes its longest; sooner after a failure.
      const waitMs = hasFailed ? this.#leaseMs / 15 : this.#leaseMs / 3;
      const isOver = await this.#clock.sleep(waitMs, this.#closing.signal).then(
        () => false,
        () => true,
      );
      if (isOver || this.#held.size === 0) break;
      hasFailed = await this.#rows.renew([...this.#held]).then(
        () => false,
        // The database said why, once; and tells when it is back.
        () => true,
      );
    }
    this.#isRunning = false;
  }
}
